"""What is to be thought of a table, given what it looked like before. Pure: no database, no Dagster."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Severity = Literal["WARN", "ERROR"]
ROW_COUNT, NULL_RATES, COLUMNS = "row_count", "null_rates", "columns"
FIRST = "nothing to compare with yet: from here on this is what later nights are compared with"


@dataclass(frozen=True)
class Column:
    """A column's type as Postgres writes it, and in how many rows it has a value."""

    type: str
    filled: int


@dataclass(frozen=True)
class Observation:
    """A table as it stood when it was examined; columns in the table's order."""

    relation: str
    rows: int
    columns: Mapping[str, Column]

    @property
    def live(self) -> int:
        """Rows that are not marked as gone from their source; all of them where a table has no `deleted_at`."""
        gone = self.columns.get("deleted_at")
        return self.rows - gone.filled if gone else self.rows


@dataclass(frozen=True)
class Baseline:
    """What a table is compared with: how it was when it last passed, and its most rows within a week before that.

    The week makes a slow leak show, which from one night to the next stays within bounds.
    """

    last: Observation
    observed_at: datetime
    peak_rows: int
    peak_live: int


@dataclass(frozen=True)
class Bounds:
    """How far a table may move, as fractions of what it was.

    `shrink`: rows lost; 0 for tables that only ever grow. `gone`: live rows lost. `growth`: rows gained, beyond which
    is a warning; infinite for logs. `nulls_warn`, `nulls_error`: values lost in a column whose rows are still there.
    `exempt`: columns of which fewer values mean nothing bad.
    """

    shrink: float = 0.10
    gone: float = 0.05
    growth: float = 1.0
    nulls_warn: float = 0.10
    nulls_error: float = 0.50
    exempt: frozenset[str] = frozenset({"deleted_at", "error", "found_by"})


@dataclass(frozen=True)
class Verdict:
    """One check's answer. `severity` says how bad it is where it did not pass."""

    check: str
    passed: bool
    text: str
    severity: Severity = "ERROR"
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether what follows must wait."""
        return not self.passed and self.severity == "ERROR"


def judge(now: Observation | None, before: Baseline | None, bounds: Bounds) -> list[Verdict]:
    """The three verdicts on a table: its rows, its null rates, its columns. `now` is None where there is no table."""
    if now is None:
        return _absent(before)
    if before is None:
        numbers = {"rows": now.rows}
        return [Verdict(check, True, FIRST, numbers=numbers) for check in (ROW_COUNT, NULL_RATES, COLUMNS)]
    return [_row_count(now, before, bounds), _null_rates(now, before, bounds), _columns(now, before)]


def tolerated_loss(expected: float, bound: float) -> float:
    """How many of `expected` may be missing: the bound's share, but no less than chance takes from a small number.

    Three times the square root is three standard deviations of a count, so from ten on nothing may vanish entirely.
    A bound of 0 is strict.
    """
    return max(bound * expected, 3 * math.sqrt(expected)) if bound else 0.0


def _absent(before: Baseline | None) -> list[Verdict]:
    if before is None:
        text = "the table does not exist yet: `bioloupe refresh` makes it"
        return [Verdict(check, False, text, "WARN") for check in (ROW_COUNT, NULL_RATES, COLUMNS)]
    gone = f"the table is gone; it had {before.last.rows:,} rows"
    return [Verdict(check, False, gone, numbers={"rows": 0}) for check in (ROW_COUNT, NULL_RATES, COLUMNS)]


def _row_count(now: Observation, before: Baseline, bounds: Bounds) -> Verdict:
    numbers = {"rows": now.rows, "rows_before": before.peak_rows, "live": now.live, "live_before": before.peak_live}
    lost, gone = before.peak_rows - now.rows, before.peak_live - now.live
    if lost > tolerated_loss(before.peak_rows, bounds.shrink):
        text = f"{now.rows:,} rows, {_share(lost, before.peak_rows)} fewer than the {before.peak_rows:,} within a week"
        return Verdict(ROW_COUNT, False, text, numbers=numbers)
    if now.live != now.rows and gone > tolerated_loss(before.peak_live, bounds.gone):
        text = f"{now.live:,} rows that are not marked as gone, {_share(gone, before.peak_live)} fewer than before"
        return Verdict(ROW_COUNT, False, text, numbers=numbers)
    gained, usual = now.rows - before.last.rows, before.last.rows
    if usual and gained > max(bounds.growth * usual, 3 * math.sqrt(usual)):
        text = f"{now.rows:,} rows, {_share(gained, usual)} more than the {usual:,} of last time"
        return Verdict(ROW_COUNT, False, text, "WARN", numbers)
    return Verdict(ROW_COUNT, True, f"{now.rows:,} rows, {usual:,} last time", numbers=numbers)


def _null_rates(now: Observation, before: Baseline, bounds: Bounds) -> Verdict:
    lost = sorted(_lost_values(now, before.last, bounds), key=lambda found: (not found[2], -found[1]))
    numbers = {f"null_rate_{name}": _null_rate(now, name) for name, _, _ in lost}
    if not lost:
        return Verdict(NULL_RATES, True, f"{len(now.columns)} columns are filled as they were")
    told = ", ".join(
        f"{name} {_null_rate(before.last, name):.0%} → {_null_rate(now, name):.0%} null" for name, _, _ in lost
    )
    return Verdict(NULL_RATES, False, told, "ERROR" if lost[0][2] else "WARN", numbers)


def _lost_values(now: Observation, last: Observation, bounds: Bounds) -> Iterator[tuple[str, float, bool]]:
    """Columns with fewer values than their rows let expect: name, values missing, whether by more than the error."""
    for name, column in now.columns.items():
        old = last.columns.get(name)
        if old is None or name in bounds.exempt or not last.rows:
            continue
        expected = old.filled / last.rows * now.rows
        missing = expected - column.filled
        if missing > tolerated_loss(expected, bounds.nulls_warn):
            yield name, missing, missing > tolerated_loss(expected, bounds.nulls_error)


def _columns(now: Observation, before: Baseline) -> Verdict:
    old, new = before.last.columns, now.columns
    dropped = [name for name in old if name not in new]
    added = [f"new: {name} {new[name].type}" for name in new if name not in old]
    retyped = [
        f"{name} was {old[name].type}, is {column.type}"
        for name, column in new.items()
        if name in old and old[name].type != column.type
    ]
    told = [*(f"dropped: {name} {old[name].type}" for name in dropped), *retyped, *added]
    if not told:
        return Verdict(COLUMNS, True, f"the same {len(new)} columns as before")
    return Verdict(COLUMNS, False, "; ".join(told), "ERROR" if dropped else "WARN")


def _null_rate(table: Observation, column: str) -> float:
    return 1 - table.columns[column].filled / table.rows if table.rows else 0.0


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "all"
