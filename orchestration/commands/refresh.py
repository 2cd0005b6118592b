"""`bioloupe refresh`: the nightly job in this terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from orchestration.settings import settings


@click.command()
@click.option("--llm-calls", type=click.IntRange(min=0), help="Most calls to the language model in this run.")
@click.option("--no-wait", is_flag=True, help="Refuse, instead of waiting, while another run writes the warehouse.")
def refresh(llm_calls: int | None, no_wait: bool) -> None:
    """Load, model, read: the nightly job, here and now.

    Starts what is not configured (Postgres, a synthetic registry, a language model), shows each asset's progress and
    ends with what changed. While another run writes the warehouse, it waits. Run it again after a failure or a kill:
    it goes on where it was, and pays nothing twice.
    Exit code 0: every asset was built and every blocking check passed.
    """
    config = settings()
    if llm_calls is not None:
        os.environ["BIOLOUPE_LLM_MAX_CALLS"] = str(llm_calls)
        settings.cache_clear()
    log = config.home / "logs" / "refresh.log"
    with terminal_to_itself(log) as console:
        # Imported here: Dagster takes seconds to load, and its output belongs to the log.
        from orchestration.commands.refresh_view import run_and_show

        succeeded = run_and_show(console, settings(), log, wait=not no_wait)
    sys.exit(0 if succeeded else 1)


@contextmanager
def terminal_to_itself(log: Path) -> Iterator[Console]:
    """Yield a console on the terminal while all that others write to stdout and stderr goes to `log`.

    Dagster copies a step's output by file descriptor, and dbt is a subprocess: only a descriptor of our own
    stays clean.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal, errors = os.dup(1), os.dup(2)
    with open(log, "w") as sink, os.fdopen(os.dup(terminal), "w") as own:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield Console(file=own, highlight=False, width=None if own.isatty() else 110)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(terminal, 1)
            os.dup2(errors, 2)
            os.close(terminal)
            os.close(errors)
