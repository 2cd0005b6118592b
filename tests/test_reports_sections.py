"""The brief's sections on a real warehouse: each statement runs, adds up, and has a chart that Vega takes."""

import pytest

from orchestration.reports import facts
from orchestration.reports.node import RENDERER
from orchestration.reports.palette import ACCENT, CATEGORIES, NONE, OTHER, RANGE
from orchestration.reports.section import Declaration
from orchestration.reports.sections import SECTIONS
from orchestration.warehouse import query

BY_NAME = {section.name: section for section in SECTIONS}
NIGHT = "2026-02-03 02:00+00"


@pytest.fixture
def night(filled_warehouse_url: str) -> str:
    """A warehouse whose newest load, after one of an hour before, found changes; a model was asked for money."""
    query(
        filled_warehouse_url,
        f"""
        insert into raw_ctgov.registry_versions
            (data_timestamp, api_version, observed_at, api_url, _dlt_load_id, _dlt_id)
        values ('2026-02-03T09:00:05', '2.0.5', timestamptz '{NIGHT}' - interval '1 hour', '', 'a', 'earlier'),
               ('2026-02-04T09:00:05', '2.0.5', timestamptz '{NIGHT}' + interval '1 hour', '', 'a', 'later');
        delete from raw_ctgov.registry_versions where _dlt_id not in ('earlier', 'later');
        insert into analytics.fct_trial_changes
            (change_id, nct_id, version, field, change_type, old_value, new_value, registry_date, changed_at, found_by)
        select
            row_number() over (), nct_id, 2, field, kind, old_value, new_value, current_date, changed_at, 'nightly'
        from (select nct_id, row_number() over (order by nct_id) as place from analytics.dim_trials) as trials
        inner join (
            values
            (1, 'overall_status', 'changed', 'RECRUITING', 'TERMINATED', timestamptz '{NIGHT}'),
            (2, 'overall_status', 'changed', 'NOT_YET_RECRUITING', 'RECRUITING', timestamptz '{NIGHT}'),
            (2, 'enrollment', 'changed', '10', '20', timestamptz '{NIGHT}'),
            (3, 'has_results', 'changed', 'false', 'true', timestamptz '{NIGHT}'),
            (4, 'record', 'appeared', null, 'RECRUITING', timestamptz '{NIGHT}'),
            (5, 'record', 'vanished', 'COMPLETED', null, timestamptz '{NIGHT}'),
            (6, 'phase', 'changed', 'PHASE1', 'PHASE2', timestamptz '{NIGHT}' - interval '1 day')
        ) as changes (place, field, kind, old_value, new_value, changed_at) using (place);
        insert into analytics.fct_llm_spend
        select day::date, 'stop_reasons', 'm', 3, 0, 100, 0, 20, 0.5, 0, 10
        from generate_series(date '2025-12-01', date '2026-02-01', interval '1 day') as day;
        select 1
        """,
    )
    return filled_warehouse_url


@pytest.mark.integration
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_statement_runs_and_has_the_columns_that_its_chart_and_pivot_name(
    night: str, section: Declaration, own_settings: None
) -> None:
    table = section.table(night)
    assert table.height, "the filled warehouse has rows for every section"
    shown = section.section(table)
    assert set(section.headings) <= set(table.columns)
    assert set(section.pivot or ()) <= set(table.columns)
    fields = {name for name in _fields(shown.chart or {}) if name not in _calculated(shown.chart or {})}
    assert fields <= set(table.columns)


def _fields(spec: object) -> set[str]:
    if isinstance(spec, dict):
        found = {spec["field"]} if isinstance(spec.get("field"), str) else set()
        return found.union(*map(_fields, spec.values()))
    return set().union(*map(_fields, spec)) if isinstance(spec, list) else set()


def _calculated(spec: dict[str, object]) -> set[str]:
    return {step["as"] for step in spec.get("transform", [])}  # type: ignore[attr-defined]


@pytest.mark.integration
def test_what_changed_is_what_the_last_load_found(night: str, own_settings: None) -> None:
    assert BY_NAME["changes_last_night"].table(night).rows() == [
        ("Status", 2),
        ("Enrollment", 1),
        ("Gone from the registry", 1),
        ("New in the registry", 1),
        ("Results", 1),
    ]


@pytest.mark.integration
def test_results_and_stops_come_before_the_rest(night: str, own_settings: None) -> None:
    told = BY_NAME["notable_changes"].table(night)
    assert told["changes"].to_list() == [
        "Results posted",
        "Status: Recruiting → Terminated",
        "Gone from the registry",
        "Status: Not Yet Recruiting → Recruiting; Enrollment: 10 → 20",
        "New in the registry",
    ]


@pytest.mark.integration
def test_stopped_trials_add_up(night: str, own_settings: None) -> None:
    table = BY_NAME["stop_reasons_over_time"].table(night)
    assert table["quarter"].n_unique() <= 12
    assert table["reason"].n_unique() <= 9
    newest = table["quarter"].max()
    counted = table.filter(table["quarter"] == newest)["trials"].sum()
    in_quarter = "select count(*) from analytics.fct_stopped_trials where to_char(last_update_posted_date, %s) = %s"
    assert query(night, in_quarter, ('YYYY "Q"Q', newest)) == [(counted,)]


@pytest.mark.integration
def test_spend_is_of_the_newest_days_in_money_where_there_is_a_price(night: str, own_settings: None) -> None:
    section = BY_NAME["llm_spend"]
    table = section.table(night)
    assert (table.height, table["day"].max(), table["tokens"].to_list()[0]) == (30, "2026-02-01", 120)
    assert section.section(table).chart["encoding"]["y"]["title"] == "US dollars"  # type: ignore[index]
    free = table.with_columns(table["cost_usd"] * 0)
    assert section.section(free).chart["encoding"]["y"]["title"] == "Tokens"  # type: ignore[index]


@pytest.mark.integration
def test_headline_facts_count_the_night(night: str, own_settings: None) -> None:
    told = dict(facts.table(night).iter_rows())
    trials = query(night, "select count(*) from analytics.dim_trials where deleted_at is null")[0][0]
    assert told["Trials"] == f"{trials:,}"
    assert (told["New"], told["Changed"], told["Gone"]) == ("1", "3", "1")
    assert told["Registry as of"] == "4 Feb 2026, 09:00"
    assert told["Load before the last"] == "3 Feb 2026, 01:00 UTC"


@pytest.mark.integration
def test_a_warehouse_without_marts_has_empty_sections_and_unknown_facts(warehouse_url: str, own_settings: None) -> None:
    assert {section.table(warehouse_url).width for section in SECTIONS} == {0}
    assert set(facts.table(warehouse_url)["value"]) == {facts.UNKNOWN}


def test_colours_that_a_chart_asks_for_are_known_to_the_page() -> None:
    theme = (RENDERER / "src" / "theme.ts").read_text()
    assert [colour for colour in (ACCENT, RANGE, OTHER, NONE, *CATEGORIES) if f'"{colour}": "#' not in theme] == []
