"""`bioloupe backfill`: windows of the registry in this terminal."""

import sys
from datetime import date, datetime

import click

from orchestration.commands.refresh import terminal_to_itself
from orchestration.settings import ConfigurationError, settings

TYPES = ["INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS", "MISSING"]
DAY = click.DateTime(["%Y-%m-%d", "%Y-%m"])


@click.command()
@click.option("--by", type=click.Choice(["day", "month", "type"]), default="day", show_default=True, help="See above.")
@click.option("--from", "first", type=DAY, help="First day, or for --by month first month (2015-01).")
@click.option("--to", "last", type=DAY, help="Last day or month. [default: the latest there is]")
@click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="For --by type; may be repeated.")
def backfill(by: str, first: datetime | None, last: datetime | None, types: tuple[str, ...]) -> None:
    """Load a part of the registry again, beside what the nightly load does.

    \b
    --by day    studies last updated from one day to another: nights that were missed
    --by month  studies first posted from one month to another: to fill a warehouse, several months
                at once; the first refresh then finds most of it there
    --by type   studies of a type: the interventional ones first

    What is there already is compared and left as it is; nothing is marked as gone, and the position of the nightly load
    stays where it is. It is a partitioned job of `bioloupe ui`, run here and recorded there. Ended in the middle, the
    same command goes on where it was. Exit code 0: all windows are loaded.
    """
    if settings().branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: nothing is loaded for a branch, which reads the shared tables")
    if by == "type" and (first or last):
        raise click.UsageError("--from and --to are for --by day and --by month")
    if by != "type" and (first is None or types):
        raise click.UsageError("--type is for --by type" if types else f"--by {by} needs --from")
    log = settings().home / "logs" / "backfill.log"
    with terminal_to_itself(log) as console:
        # Imported here: Dagster takes seconds to load, and its output belongs to the log.
        from orchestration.commands.load_view import show_backfill, windows

        wanted = windows(by, _day(first), _day(last), types)
        loaded = wanted is not None and show_backfill(console, by, wanted, log)
    if wanted is None:
        raise click.UsageError(
            "there are no such windows: the first day or month must not be after the last, or to come"
        )
    sys.exit(0 if loaded else 1)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
