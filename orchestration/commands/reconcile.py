"""`bioloupe reconcile`: the weekly comparison in this terminal."""

import sys

import click

from orchestration.commands.refresh import terminal_to_itself
from orchestration.settings import ConfigurationError, settings


@click.command()
@click.option(
    "--most-gone",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Where the registry lacks a larger share of our studies, none is marked as gone.",
)
def reconcile(most_gone: float) -> None:
    """Read the whole registry again and compare it with the warehouse.

    Loads what changed without a new update date, marks what vanished as gone, clears what came back, says what the
    nightly loads have missed, and models all of it. Only what differs is written. It is the job `weekly_reconcile` of
    `bioloupe ui`, run here and recorded there; ended in the middle, it goes on where it was.

    Exit code 0: compared and modelled.
    """
    if settings().branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: nothing is loaded for a branch, which reads the shared tables")
    log = settings().home / "logs" / "reconcile.log"
    with terminal_to_itself(log) as console:
        # Imported here: Dagster takes seconds to load, and its output belongs to the log.
        from orchestration.commands.load_view import show_reconcile

        compared = show_reconcile(console, most_gone, log)
    sys.exit(0 if compared else 1)
