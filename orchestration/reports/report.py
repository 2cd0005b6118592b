"""What a report says: headline facts, then sections of a title, a chart and the table under it.

Nothing here draws. `orchestration.reports.render` hands a report to the Node program that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # 0.1 s to import, and only who fills a report needs it: Dagster's definitions load without.
    from polars import DataFrame

MOST_ROWS = 1_000


@dataclass(frozen=True)
class Section:
    """One part of a page.

    `chart` is a Vega-Lite specification without data, size or colours of its own (a mark and its encoding), filled from
    `table`; None where a table says it all. `pivot` names the columns (rows, columns, values) by which a long table is
    shown as a wide one; the chart still gets the long one. A column `nct_id` is linked to the registry where the
    report has a `study_url`. With no rows, or with `table` None, the page says `empty` instead.
    """

    name: str
    title: str
    note: str
    table: DataFrame | None
    chart: dict[str, Any] | None
    empty: str
    headings: Mapping[str, str] = field(default_factory=dict)
    """Column → its heading; others get their name, with spaces and a capital."""
    alt: str = ""
    """What the chart shows, for those who cannot see it. The table under it gives the numbers."""
    pivot: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Report:
    """One page. Facts are pairs of (label, value); both are shown as they are."""

    title: str
    subtitle: str
    facts: list[tuple[str, str]]
    sections: list[Section]
    footer: str = ""
    study_url: str | None = None
    """Where a reader finds a trial, with `{}` for its number: `https://clinicaltrials.gov/study/{}`."""


def payload(report: Report) -> dict[str, Any]:
    """The report as the renderer reads it: JSON types only. Raises ValueError where a table is too long for a page."""
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "facts": [list(fact) for fact in report.facts],
        "footer": report.footer,
        "studyUrl": report.study_url,
        "sections": [_section(section) for section in report.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    table = section.table
    about = {
        "name": section.name,
        "title": section.title,
        "note": section.note,
        "empty": section.empty,
        "alt": section.alt or section.title,
        "chart": section.chart,
    }
    if table is None or table.is_empty():
        return {**about, "rows": [], "shown": None}
    if table.height > MOST_ROWS:
        raise ValueError(
            f"section {section.name}: {table.height:,} rows are too many for a page (most: {MOST_ROWS:,}); "
            "aggregate or limit them in its SQL"
        )
    shown = _pivoted(table, *section.pivot) if section.pivot else table
    return {**about, "rows": _rows(table), "shown": {"columns": _columns(shown, section), "rows": _rows(shown)}}


def _pivoted(table: DataFrame, rows: str, columns: str, values: str) -> DataFrame:
    """A long table as a wide one, both in the order of first appearance; what is not there is 0."""
    return table.pivot(columns, index=rows, values=values, aggregate_function="sum").fill_null(0)


def _columns(table: DataFrame, section: Section) -> list[dict[str, Any]]:
    """Name, heading, and whether numbers stand in it, of each column."""
    return [
        {
            "name": name,
            "heading": section.headings.get(name, name[:1].upper() + name[1:].replace("_", " ")),
            "numeric": dtype.is_numeric(),
        }
        for name, dtype in table.schema.items()
    ]


def _rows(table: DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.iter_rows(named=True)]


def _plain(value: object) -> Any:
    """A cell as JSON: dates as ISO 8601, times to the minute, decimals as numbers."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value
