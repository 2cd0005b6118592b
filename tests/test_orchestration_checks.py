"""The anomaly checks as runs meet them: a real warehouse, real steps, and what must not start."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dagster import AssetCheckKey, AssetKey, AssetSelection, DagsterInstance, Definitions, ExecuteInProcessResult
from psycopg2.extensions import connection as Connection

from orchestration.checks.bounds import bounds_of
from orchestration.checks.history import accept, examine, held
from orchestration.commands.checks import checks
from orchestration.warehouse import connect, query

pytestmark = pytest.mark.integration
NOTHING = AssetSelection.assets()
CONDITIONS = AssetKey(["ctgov", "stg_ctgov__conditions"])
LOSE_ONE = "delete from raw_ctgov.studies where nct_id = (select min(nct_id) from raw_ctgov.studies) returning 1"
LOSE_HALF = """
delete from ctgov.conditions
where nct_id < (select percentile_disc(0.5) within group (order by nct_id) from ctgov.studies) returning 1
"""
LOSE_VALUES = """
update ctgov.designs set allocation = null, primary_purpose = null where hashtext(nct_id) %% 100 < %s returning 1
"""


@pytest.fixture
def connection(filled_warehouse_url: str) -> Iterator[Connection]:
    with closing(connect(filled_warehouse_url)) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _settings(own_settings: None, monkeypatch: pytest.MonkeyPatch, filled_warehouse_url: str) -> None:
    monkeypatch.setenv("BIOLOUPE_LLM", "off")
    monkeypatch.setenv("DATABASE_URL", filled_warehouse_url)


def run(selection: AssetSelection, checks: AssetSelection) -> ExecuteInProcessResult:
    """Run assets and checks of the project's own definitions, as a job of that selection would."""
    from dagster import define_asset_job

    from orchestration.definitions import defs

    job = define_asset_job("some", selection=selection | checks)
    mine = Definitions.merge(defs, Definitions(jobs=[job]))
    return mine.resolve_job_def("some").execute_in_process(instance=DagsterInstance.ephemeral(), raise_on_error=False)


def layer(group: str) -> AssetSelection:
    """The anomaly checks of a layer."""
    from orchestration.definitions import defs

    names = {"row_count", "null_rates", "columns"}
    graph = defs.resolve_asset_graph()
    in_group = {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == group}
    return AssetSelection.checks(
        *(key for key in graph.asset_check_keys if key.asset_key in in_group and key.name in names)
    )


def results(run: ExecuteInProcessResult) -> dict[AssetCheckKey, Any]:
    return {found.asset_check_key: found for found in run.get_asset_check_evaluations()}


def started(run: ExecuteInProcessResult) -> set[str]:
    return {event.step_key for event in run.all_events if event.is_step_start and event.step_key}


def test_the_first_night_passes_and_the_second_compares(filled_warehouse_url: str) -> None:
    staging, none = layer("staging"), NOTHING
    first, second = results(run(none, staging)), results(run(none, staging))
    assert len(first) == len(second) >= 60
    assert all(found.passed and "nothing to compare" in found.description for found in first.values())
    assert all(found.passed for found in second.values())
    assert "last time" in second[AssetCheckKey(CONDITIONS, "row_count")].description
    assert query(filled_warehouse_url, "select count(distinct run_id) from checks.table_history") == [(2,)]


def test_raw_studies_that_shrink_hold_staging(filled_warehouse_url: str) -> None:
    raw, staging = layer("ingestion"), AssetSelection.groups("staging").without_checks()
    run(NOTHING, raw)
    query(
        filled_warehouse_url,
        LOSE_ONE,
    )
    blocked = run(staging, raw)
    assert not blocked.success
    assert started(blocked) == {"raw_checks", "sweep_checks"}
    found = results(blocked)[AssetCheckKey(AssetKey(["raw_ctgov", "studies"]), "row_count")]
    assert (found.passed, found.blocking, found.severity.value) == (False, True, "ERROR")
    assert "bioloupe checks accept raw_ctgov.studies" in (found.description or "")


def test_a_staging_table_that_shrinks_holds_the_paid_step_until_it_is_accepted(
    filled_warehouse_url: str, connection: Connection
) -> None:
    staging, reading = layer("staging"), AssetSelection.groups("enrichment").without_checks()
    run(NOTHING, staging)
    query(
        filled_warehouse_url,
        LOSE_HALF,
    )
    for _ in range(2):
        blocked = run(reading, staging)
        assert not blocked.success
        assert started(blocked) == {"staging_checks"}
    assert [(relation, "fewer" in why) for relation, _, why in held(connection)] == [("ctgov.conditions", True)]

    accept(connection, "ctgov.conditions", "a narrower scope")
    assert held(connection) == []
    freed = run(reading, staging)
    assert freed.success
    assert "enrich_stop_reasons" in started(freed)


def test_values_that_vanish_from_a_column_warn_then_hold(filled_warehouse_url: str, connection: Connection) -> None:
    def null_rates() -> Any:
        return {v.check: v for v in examine(connection, "ctgov.designs", bounds_of("ctgov.designs"))}["null_rates"]

    assert null_rates().passed
    lose = LOSE_VALUES
    for share, severity in ((-40, "WARN"), (99, "ERROR")):
        query(filled_warehouse_url, lose, (share,))
        verdict = null_rates()
        assert (verdict.passed, verdict.severity) == (False, severity)
        assert "primary_purpose" in verdict.text


def test_a_new_column_warns_once_and_a_dropped_one_holds(filled_warehouse_url: str, connection: Connection) -> None:
    def columns() -> Any:
        return {v.check: v for v in examine(connection, "ctgov.keywords", bounds_of("ctgov.keywords"))}["columns"]

    def alter(change: str) -> None:
        query(filled_warehouse_url, f"alter table ctgov.keywords {change}; select 1")

    assert columns().passed
    alter("add column language text")
    added = columns()
    assert (added.passed, added.severity, added.text) == (False, "WARN", "new: language text")
    assert columns().passed
    alter("drop column downcase_name")
    assert columns().holds
    assert columns().holds


def test_an_operator_lists_and_accepts_what_is_held(filled_warehouse_url: str, connection: Connection) -> None:
    def bioloupe(*arguments: str) -> Result:
        return CliRunner().invoke(checks, arguments)

    assert (bioloupe("held").exit_code, bioloupe("held").output) == (0, "nothing is held back\n")
    examine(connection, "ctgov.conditions", bounds_of("ctgov.conditions"))
    query(filled_warehouse_url, "truncate ctgov.conditions; select 1")
    examine(connection, "ctgov.conditions", bounds_of("ctgov.conditions"))
    listed = bioloupe("held")
    assert listed.exit_code == 1
    assert "ctgov.conditions" in listed.output
    assert "0 rows" in listed.output
    assert bioloupe("accept").exit_code == 2
    assert "no table ctgov.nothing" in bioloupe("accept", "ctgov.nothing").output
    assert "0 rows, 4 columns are right as they stand" in bioloupe("accept", "--held").output
    assert bioloupe("held").exit_code == 0
