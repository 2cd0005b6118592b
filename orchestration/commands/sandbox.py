"""`bioloupe sandbox`: serve a synthetic (or replayed) registry, and move its time on."""

from datetime import date
from pathlib import Path

import click

from ingest.sandbox.faults import Faults
from ingest.sandbox.population import Population
from ingest.sandbox.serve import ServeOptions, base_url, listen, open_store, serve
from ingest.sandbox.state import SandboxState, open_state
from orchestration.local.sandbox import state_path
from orchestration.settings import settings

_SHARE = click.FloatRange(0, 1)


@click.group()
def sandbox() -> None:
    """A synthetic ClinicalTrials.gov on this machine.

    The same HTTP API, studies made up from a seed, no network. `bioloupe refresh` starts one by itself; serve one
    by hand to look at it, to load from it with CTGOV_API_URL, or to see how a loader takes faults.
    """


@sandbox.command("serve")
@click.option(
    "--studies", type=click.IntRange(1, 9_000_000), help="Studies on night 0.  [default: BIOLOUPE_SANDBOX_STUDIES]"
)
@click.option("--seed", type=int, help="Another seed, other studies.  [default: BIOLOUPE_SANDBOX_SEED]")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Loopback port; 0: a free one."
)
@click.option("--night", type=click.IntRange(min=0), help="Serve this night and stay there.  [default: as advanced]")
@click.option("--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Serve the records of FILE (one JSON a line, .gz or not) instead.")  # fmt: skip
@click.option(
    "--fault-429", type=_SHARE, default=0.0, metavar="RATE", help="Share of requests answered 429, Retry-After 1 s."
)
@click.option("--fault-500", type=_SHARE, default=0.0, metavar="RATE", help="Share of requests answered 500.")
@click.option("--fault-timeout", type=_SHARE, default=0.0, metavar="RATE", help="Share of requests left hanging.")
@click.option(
    "--timeout-seconds",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    help="How long they hang; then 504.",
)
@click.option("--fault-truncate", type=_SHARE, default=0.0, metavar="RATE", help="Share of responses cut off half way.")
@click.option(
    "--fault-empty-page", type=_SHARE, default=0.0, metavar="RATE", help="Share of pages empty, with a next token."
)
@click.option("--malformed", type=click.FloatRange(0), default=0.0, metavar="N|RATE",
              help="Malformed or odd studies: a number, or a share if below 1.")  # fmt: skip
@click.option("--fault-seed", type=int, default=1, show_default=True, help="Another seed, other requests and studies.")
@click.option(
    "--requests-per-minute", type=click.IntRange(min=1), metavar="N", help="Answer 429 beyond this, per client."
)
@click.option("--no-gzip", is_flag=True, help="Never compress responses: faster on one machine.")
def serve_command(
    studies: int | None, seed: int | None, port: int, night: int | None, replay: Path | None, fault_429: float,
    fault_500: float, fault_timeout: float, timeout_seconds: float, fault_truncate: float, fault_empty_page: float,
    malformed: float, fault_seed: int, requests_per_minute: int | None, no_gzip: bool,
) -> None:  # fmt: skip
    """Serve a registry until Ctrl-C; the base URL is printed.

    The state (studies, seed, night) is kept in BIOLOUPE_HOME. Other --studies or --seed than stored start a fresh
    registry at night 0, and `bioloupe sandbox advance` reaches a running server. No request fails more than twice
    in a row.
    """
    faults = Faults(too_many=fault_429, server_error=fault_500, timeout=fault_timeout, truncate=fault_truncate,
        empty_page=fault_empty_page, malformed=malformed, seed=fault_seed, timeout_seconds=timeout_seconds,
        requests_per_minute=requests_per_minute,)  # fmt: skip
    path = state_path(settings())
    what = f"the records of {replay}"
    if replay is None:
        state = _state(studies, seed)
        what = f"{state.studies:,} studies, seed {state.seed}, night {state.night if night is None else night}"
    options = ServeOptions(path, night, replay, faults, not no_gzip)
    try:
        listening = listen(port)
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}; choose another with --port") from None
    try:
        registry = open_store(options).registry()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{what}: {len(registry.by_index):,} studies, data of {registry.timestamp}")
    click.echo(f"CTGOV_API_URL={base_url(listening)}")
    serve(options, listening)


@sandbox.command()
@click.option("--nights", type=click.IntRange(1), default=1, show_default=True, help="How many nights to move on.")
def advance(nights: int) -> None:
    """Move the registry's time on, and say what each night changed.

    About 1% of the studies are updated (status, dates, enrollment, stop reasons, results), 0.3% are new, a few
    vanish or change without a new date. A server that runs, and the next refresh, see the new night.
    """
    config = settings()
    state = SandboxState.load(state_path(config)) or _state(None, None)
    for step in range(1, nights + 1):
        state = state.advanced()
        if step == nights or nights <= 10:
            _tell(state)
    state.save(state_path(config))


def _state(studies: int | None, seed: int | None) -> SandboxState:
    config = settings()
    studies = config.sandbox_studies if studies is None else studies
    state, given_up = open_state(state_path(config), studies, config.sandbox_seed if seed is None else seed)
    if given_up:
        click.secho(given_up, fg="yellow", err=True)
    return state


def _tell(state: SandboxState) -> None:
    population = Population(state.seed, state.studies, state.night)
    changes = population.changes()
    live = sum(1 for day in population.dates if day)
    click.echo(
        f"night {state.night} ({date.fromordinal(population.day()).isoformat()}): {len(changes.changed):,} changed, "
        f"{len(changes.silent):,} changed with no new date, {len(changes.new):,} new, "
        f"{len(changes.vanished):,} vanished; {live:,} studies"
    )
