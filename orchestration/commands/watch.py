"""`bioloupe watch`: a team's own conditions, drugs and sponsors."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import click

from orchestration.settings import ConfigurationError, settings
from orchestration.watch import store
from orchestration.watch.watchlist import Watchlist
from orchestration.watch.watchlist import watchlist as checked

SHOWN = 20


@click.group()
def watch() -> None:
    """Watch conditions, drugs or sponsors: the trials that match, what changes in them, a page for each watchlist."""


@watch.command()
@click.argument("text", nargs=-1)
@click.option("--condition", "conditions", multiple=True, help="A condition, as written or by its MeSH terms.")
@click.option("--drug", "drugs", multiple=True, help="An intervention: its name, other names or MeSH terms.")
@click.option("--sponsor", "sponsors", multiple=True, help="A lead sponsor or collaborator.")
@click.option("--name", help="What to call it.  [default: its terms]")
def add(
    text: tuple[str, ...],
    conditions: tuple[str, ...],
    drugs: tuple[str, ...],
    sponsors: tuple[str, ...],
    name: str | None,
) -> None:
    """Make a watchlist: bioloupe watch add "KRAS G12C" --condition melanoma

    \b
    TEXT is looked for in conditions, interventions, keywords, titles and sponsors; the options only
    in their own. Several of a kind: any of them. Several kinds: all of them, each somewhere.
    Whole words count, whatever their case. "PD-1" also finds PD1 and PD 1, but not PD-10 or PD-L1;
    Greek letters and their names are one, as are letters with and without accents.
    """
    if settings().branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: watchlists are the shared warehouse's; add it in production")
    wanted = checked(text, conditions, drugs, sponsors, name)
    url = _activated()
    made = store.add(url, wanted)
    _register(made)
    click.echo(f"watching {made.slug}: {made}")
    _tell_matches(url, made)
    click.echo(f"  bioloupe watch show {made.slug}     its trials and what changed")
    click.echo(f"  bioloupe watch brief {made.slug}    its page, here and now; `bioloupe ui` makes it by itself")


@watch.command("list")
def list_() -> None:
    """List the watchlists."""
    from rich.table import Table

    from orchestration.commands import watch_view

    table = Table("name", "watches", "since", box=None, padding=(0, 2, 0, 0))
    for one in store.watchlists(_activated(dagster=False)):
        table.add_row(one.slug, str(one), f"{one.created_at:%Y-%m-%d}")
    watch_view.console().print(table if table.row_count else 'none yet: bioloupe watch add "KRAS G12C"')


@watch.command()
@click.argument("name")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="Changes of how many days.")
@click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(1), help="How many rows of each.")
def show(name: str, days: int, limit: int) -> None:
    """Show the trials that match now, and what changed in them."""
    from orchestration.commands import watch_view
    from orchestration.watch.matching import changes, trials

    url = _activated(dagster=False)
    one = store.find(url, name)
    now = datetime.now(timezone.utc)
    console = watch_view.console()
    console.print(f"[bold]{one.slug}[/] watches ", end="")
    console.print(str(one), markup=False)
    watch_view.show_trials(console, trials(url, one), limit)
    watch_view.show_changes(console, changes(url, one, now - timedelta(days=days), now), days, limit)


@watch.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
def remove(name: str, yes: bool) -> None:
    """Remove a watchlist; its trials and pages are no longer made. Pages that were made stay. Asks first."""
    if settings().branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: watchlists are the shared warehouse's; remove it in production")
    url = _activated()
    one = store.find(url, name)
    if not yes:
        click.confirm(f"Remove the watchlist {one.slug} ({one})?", abort=True)
    store.remove(url, one.slug)
    from dagster import DagsterInstance

    from orchestration.automation.partitions import WATCHLISTS

    with DagsterInstance.get() as instance:
        if one.slug in instance.get_dynamic_partitions(str(WATCHLISTS.name)):
            instance.delete_dynamic_partition(str(WATCHLISTS.name), one.slug)
    click.echo(f"{one.slug} is no longer watched")


@watch.command()
@click.argument("name")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def brief(name: str, open_: bool) -> None:
    """Make a watchlist's page here and now, as a run of Dagster's, and print where it is."""
    import webbrowser

    from orchestration.reports import pages
    from orchestration.reports.node import RendererMissing, command

    url = _activated()
    one = store.find(url, name)
    try:
        command()
    except RendererMissing as missing:
        raise click.ClickException(f"not drawn: {missing}") from None
    failure = _materialized(one)
    if failure:
        raise click.ClickException(failure)
    page = pages.latest(f"watchlist_brief/{one.slug}")
    assert page is not None
    click.echo(page)
    if open_ and not webbrowser.open(page.as_uri()):
        click.secho("No browser was found to open it.", err=True)


def _activated(dagster: bool = True) -> str:
    """The warehouse's URL; with `dagster`, its instance is ready as well."""
    if dagster:
        from orchestration.runtime import activate

        return activate().url
    from orchestration.warehouse import ensure

    return ensure(settings()).url


def _register(made: Watchlist) -> None:
    """The partition at once, so that it can be run from the UI before the sensor's next look."""
    from dagster import DagsterInstance

    from orchestration.automation.partitions import WATCHLISTS

    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(str(WATCHLISTS.name), [made.slug])


def _tell_matches(url: str, made: Watchlist) -> None:
    from orchestration.commands.watch_view import matches
    from orchestration.watch.matching import trials
    from orchestration.watch.misses import misses
    from orchestration.watch.reading import NotBuilt

    try:
        found = trials(url, made)
        click.echo(f"  {matches(found)}")
        for line in misses(url, made) if found.is_empty() else []:
            click.echo(f"  {line}")
    except NotBuilt:
        click.echo("  nothing is loaded yet: bioloupe refresh")


def _materialized(one: Watchlist) -> str | None:
    """Run the job `watchlist_briefs` for this watchlist; None, or why it failed."""
    from dagster import DagsterInstance

    from orchestration.commands.refresh import terminal_to_itself
    from orchestration.failures import reason

    with terminal_to_itself(settings().home / "logs" / "watch.log"):
        from orchestration.definitions import defs

        with DagsterInstance.get() as instance:
            instance.add_dynamic_partitions("watchlists", [one.slug])
            result = defs.resolve_job_def("watchlist_briefs").execute_in_process(
                partition_key=one.slug, instance=instance, raise_on_error=False
            )
    failures = [reason(event) for event in result.get_step_failure_events()]
    return None if result.success else (failures or ["the run failed: `bioloupe ui`, Runs"])[0]
