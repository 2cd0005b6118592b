"""How a section is declared: what it asks of the marts, and how the page shows the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration.reports.frames import frame, missing
from orchestration.reports.report import Section
from orchestration.settings import settings
from orchestration.warehouse import BRANCHED, SCHEMAS

if TYPE_CHECKING:
    from polars import DataFrame

# The order in which phases are shown, and their names.
PHASES = {
    "NA": "No phase",
    "EARLY_PHASE1": "Early phase 1",
    "PHASE1": "Phase 1",
    "PHASE1/PHASE2": "Phase 1/2",
    "PHASE2": "Phase 2",
    "PHASE2/PHASE3": "Phase 2/3",
    "PHASE3": "Phase 3",
    "PHASE4": "Phase 4",
}


@dataclass(frozen=True)
class Declaration:
    """A section of the brief: one SQL statement, a chart, and words.

    `sql` names schemas in braces, `{analytics}.dim_trials`; `needs` lists what it reads, in the same way. Without one
    of them the table has no columns, and the page says what is missing. `chart` is a Vega-Lite specification without
    data, or a function from the table to one. The rest is what `Section` has.
    """

    name: str
    title: str
    note: str
    needs: tuple[str, ...]
    sql: str
    chart: dict[str, Any] | Callable[[DataFrame], dict[str, Any]] | None
    empty: str
    alt: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    pivot: tuple[str, str, str] | None = None

    def table(self, url: str) -> DataFrame:
        """Ask the warehouse. A table without columns means that something it needs is not there."""
        import polars

        if missing(url, map(named, self.needs)):
            return polars.DataFrame()
        return frame(url, named(self.sql))

    def section(self, table: DataFrame) -> Section:
        """The section as the page shows it, for a table that `table` gave."""
        chart = self.chart(table) if callable(self.chart) and table.height else self.chart
        return Section(
            name=self.name,
            title=self.title,
            note=self.note,
            table=table if table.width else None,
            chart=None if callable(chart) else chart,
            empty=self.empty if table.width else self._not_there(),
            headings=self.headings,
            alt=self.alt,
            pivot=self.pivot,
        )

    def _not_there(self) -> str:
        listed = " and ".join(map(named, self.needs))
        return f"This needs {listed}, of which not all is there yet: `bioloupe refresh` builds it."


def named(sql: str) -> str:
    """SQL with this deployment's schemas in the place of `{analytics}` and the like."""
    for schema in SCHEMAS:
        sql = sql.replace(f"{{{schema}}}", settings().schema_of(schema) if schema in BRANCHED else schema)
    return sql


def phase_name(column: str) -> str:
    """SQL: a phase as a reader knows it."""
    cases = " ".join(f"when '{phase}' then '{name}'" for phase, name in PHASES.items())
    return f"case coalesce({column}, 'NA') {cases} else {column} end"


def phase_order(column: str) -> str:
    """SQL: a phase's place in the order."""
    listed = ", ".join(f"'{phase}'" for phase in PHASES)
    return f"array_position(array[{listed}], coalesce({column}, 'NA'))"
