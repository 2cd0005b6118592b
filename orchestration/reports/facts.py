"""The headline facts of the brief: a label, and one value asked of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.reports.frames import missing
from orchestration.reports.section import named
from orchestration.reports.sections.changes_last_night import SINCE
from orchestration.warehouse import query

if TYPE_CHECKING:
    from polars import DataFrame

UNKNOWN = "not known"
NONE = "none"
_TIME = "'FMDD Mon YYYY, HH24:MI'"


@dataclass(frozen=True)
class Fact:
    """`sql` gives one row of one column, number or text; `needs` lists what it reads, with schemas in braces."""

    label: str
    needs: tuple[str, ...]
    sql: str


def _changed(change_type: str) -> Fact:
    label = {"appeared": "New", "changed": "Changed", "vanished": "Gone"}[change_type]
    return Fact(
        label,
        ("{analytics}.fct_trial_changes", "{raw_ctgov}.registry_versions"),
        "select count(distinct nct_id) from {analytics}.fct_trial_changes "
        f"where change_type = '{change_type}' and changed_at > {SINCE}",
    )


FACTS = (
    Fact("Trials", ("{analytics}.dim_trials",), "select count(*) from {analytics}.dim_trials where deleted_at is null"),
    _changed("appeared"),
    _changed("changed"),
    _changed("vanished"),
    Fact(
        "Registry as of",
        ("{raw_ctgov}.registry_versions",),
        f"select to_char(max(data_timestamp)::timestamp, {_TIME}) from {{raw_ctgov}}.registry_versions",
    ),
    Fact(
        "Load before the last",
        ("{raw_ctgov}.registry_versions",),
        f"select to_char(observed_at at time zone 'UTC', {_TIME}) || ' UTC' from {{raw_ctgov}}.registry_versions "
        "order by observed_at desc offset 1 limit 1",
    ),
    Fact(
        "Stop reasons unread",
        ("{analytics}.fct_stopped_trials",),
        "select count(distinct text_hash) from {analytics}.fct_stopped_trials where read_status = 'unread'",
    ),
)


def table(url: str) -> DataFrame:
    """All facts, one row each: `fact` and `value`, both text."""
    import polars

    rows = [(fact.label, _value(url, fact)) for fact in FACTS]
    return polars.DataFrame(rows, schema={"fact": polars.String, "value": polars.String}, orient="row")


def _value(url: str, fact: Fact) -> str:
    if missing(url, map(named, fact.needs)):
        return UNKNOWN
    rows = query(url, named(fact.sql))
    value = rows[0][0] if rows else None
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, int) else str(value)


def sentence(facts: dict[str, str]) -> str:
    """What the last night came to, in one line."""
    new, changed, gone = (facts.get(label, UNKNOWN) for label in ("New", "Changed", "Gone"))
    if facts.get("Load before the last") == NONE:
        return f"The first load: {facts.get('Trials', UNKNOWN)} trials. What changes is told from the next one on."
    if UNKNOWN in (new, changed, gone):
        return "How the registry stands."
    if (new, changed, gone) == ("0", "0", "0"):
        return "Nothing that is watched changed in the registry."
    return f"Since the load before the last: {new} trials new, {changed} changed, {gone} gone."
