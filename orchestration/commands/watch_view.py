"""Trials, changes and catalysts in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from polars import DataFrame

LONGEST = 70
WIDE = {"brief_title", "lead_sponsor", "old_value", "new_value"}


def console() -> Console:
    """Where the output goes, with lines wide enough for tables: a narrow terminal breaks them itself."""
    opened = Console(highlight=False)
    return Console(highlight=False, width=max(opened.width, 120) if opened.is_terminal else 180)


def matches(trials: DataFrame) -> str:
    """How many trials match, in words."""
    if trials.is_empty():
        return "no trial matches"
    recruiting = (trials["overall_status"] == "RECRUITING").sum()
    return f"{trials.height:,} {'trial matches' if trials.height == 1 else 'trials match'}, {recruiting:,} recruiting"


def show_trials(console: Console, trials: DataFrame, limit: int) -> None:
    """The first `limit` matching trials, and how many there are."""
    console.print(f"\n{matches(trials)}{_first(trials.height, limit)}")
    if trials.is_empty():
        return
    columns = ("nct_id", "last_update_posted_date", "phase", "overall_status", "lead_sponsor", "brief_title")
    headings = ("trial", "updated", "phase", "status", "sponsor", "title")
    console.print(_table(trials.head(limit), columns, headings))


def show_changes(console: Console, changes: DataFrame, days: int, limit: int) -> None:
    """The newest `limit` changes."""
    if changes.is_empty():
        console.print(f"\nnothing changed in matching trials in {days} days")
        return
    trials = changes["nct_id"].n_unique()
    console.print(f"\n{changes.height:,} changes in {trials:,} trials in {days} days{_first(changes.height, limit)}")
    import polars as pl

    shown = changes.head(limit).with_columns(seen=pl.col("changed_at").dt.date())
    columns = ("nct_id", "seen", "what", "old_value", "new_value")
    console.print(_table(shown, columns, ("trial", "seen", "what", "was", "is")))


def show_catalysts(console: Console, catalysts: DataFrame, limit: int) -> None:
    """What falls due, by session; `limit` rows at most."""
    columns = ("trading_day", "falls_due", "nct_id", "phase", "lead_sponsor", "due_date", "brief_title")
    headings = ("session", "what", "trial", "phase", "sponsor", "due", "title")
    console.print(_table(catalysts.head(limit), columns, headings))
    if catalysts.height > limit:
        console.print(f"and {catalysts.height - limit:,} more: --limit {catalysts.height}, or a --watchlist")


def _first(rows: int, limit: int) -> str:
    return f"; the first {limit:,}:" if rows > limit else ":" if rows else ""


def _table(rows: DataFrame, columns: Sequence[str], headings: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    cells = [[_cell(value) for value in row] for row in rows.select(columns).iter_rows()]
    for number, (name, heading) in enumerate(zip(columns, headings, strict=True)):
        # Where the terminal is narrow texts wrap; dates, numbers and words of a few kinds stay whole.
        width = None if name in WIDE else max([len(heading), *(len(row[number]) for row in cells)])
        table.add_column(heading, no_wrap=name not in WIDE, width=width)
    for row in cells:
        table.add_row(*row)
    return table


def _cell(value: Any) -> Text:
    text = Text("" if value is None else " ".join(str(value).split()))
    text.truncate(LONGEST, overflow="ellipsis")
    return text
