"""`bioloupe enrich`: read free text in this terminal, score the answers, fetch the embedded model."""

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from orchestration.settings import ConfigurationError, Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI

TASKS = click.Choice(["stop_reasons"])
OpenClient = Callable[[], "AbstractContextManager[OpenAI]"]
Report = Callable[[int, int | None], None]


@click.group()
def enrich() -> None:
    """Read free text with keywords and a language model, and see how well that goes."""


@enrich.command()
@click.argument("task", type=TASKS)
@click.option(
    "--gold", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="CSV of labels."
)
@click.option("--max-calls", type=click.IntRange(min=0), help="Most calls to the model; default: as many as it takes.")
def eval(task: str, gold: Path, max_calls: int | None) -> None:
    """Score a task against labels made by people.

    The CSV has nct_id, the task's label and, if it likes, its second label. Texts among them that the configured
    model has not read yet are read now; the answers are stored, so none is ever paid for twice.
    """
    from orchestration.commands.enrich_view import show_evaluation
    from orchestration.enrichment.evaluation import GoldError, evaluate, read_gold
    from orchestration.enrichment.registry import TASKS as registered
    from orchestration.local.language_model import configured_model

    console = Console(highlight=False)
    try:
        labels = read_gold(gold, registered[task])
    except GoldError as error:
        raise click.ClickException(str(error)) from None
    config = settings()
    with _reading(console, config) as (opener, report):
        result = evaluate(
            _warehouse(config),
            registered[task],
            labels,
            opener,
            configured_model(config),
            max_calls=max_calls,
            progress=report,
        )
    show_evaluation(console, result)
    sys.exit(0 if result.rows and not result.run.stopped else 1)


@enrich.command()
@click.argument("task", type=TASKS)
@click.option(
    "--max-calls", type=click.IntRange(min=0), help="Most calls to the model; default: BIOLOUPE_LLM_MAX_CALLS."
)
@click.option("--retry-failed", is_flag=True, help="Also read the texts whose reading failed before.")
def run(task: str, max_calls: int | None, retry_failed: bool) -> None:
    """Read what is unread, here and now; each answer is stored as soon as its batch is done."""
    from orchestration.commands.enrich_view import show_run
    from orchestration.enrichment.registry import TASKS as registered
    from orchestration.enrichment.runner import run_task
    from orchestration.local.language_model import configured_model

    console = Console(highlight=False)
    config = settings()
    with _reading(console, config) as (opener, report):
        summary = run_task(
            _warehouse(config),
            registered[task],
            opener,
            configured_model(config),
            max_calls=config.llm_max_calls if max_calls is None else max_calls,
            progress=report,
            run_id="terminal",
            retry_failed=retry_failed,
        )
    show_run(console, summary)
    sys.exit(1 if summary.stopped else 0)


@enrich.command("fetch-model")
def fetch_model() -> None:
    """Fetch the embedded language model (1.1 GB, once), so that the first refresh need not wait for it."""
    from orchestration.local.model_file import ModelUnavailable, model_file

    config = settings()
    console = Console(highlight=False)
    with _download_bar(console) as report:
        try:
            path = model_file(config.home, config.llm_model_path, report)
        except ModelUnavailable as error:
            raise click.ClickException(str(error)) from None
    console.print(f"{path} ({path.stat().st_size / 1e9:.2f} GB)", soft_wrap=True)


def _warehouse(config: Settings) -> str:
    from orchestration.warehouse import ensure

    return config.enricher_url(ensure(config).url)


@contextmanager
def _reading(console: Console, config: Settings) -> Generator[tuple[OpenClient, Report], None, None]:
    """Yield what opens the configured model, with a bar for its download, and a bar for the texts."""
    if config.llm == "off":
        raise ConfigurationError("BIOLOUPE_LLM=off: no text is read. Unset it to use a language model.")
    if config.branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: a branch reads the shared answers and pays for none")
    from orchestration.local.language_model import open_client

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        texts = bars.add_task("texts", total=None)
        fetching = bars.add_task("model, MB", total=None, visible=False)

        def report(done: int, total: int | None) -> None:
            bars.update(texts, completed=done, total=total)

        def downloaded(done: int, total: int | None) -> None:
            megabytes = total // 1_000_000 if total else None
            bars.update(fetching, completed=done // 1_000_000, total=megabytes, visible=done != total)

        yield lambda: open_client(config, downloaded), report


@contextmanager
def _download_bar(console: Console) -> Generator[Report, None, None]:
    columns = (TextColumn("model"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("model", total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
