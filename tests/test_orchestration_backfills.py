"""Windows and the sweep as assets: single partitions, ranges in one run, what their materializations say."""

from collections.abc import Iterator
from typing import Any

import pytest
from dagster import (
    AssetKey,
    AssetsDefinition,
    DagsterInstance,
    ExecuteInProcessResult,
    RunConfig,
    materialize,
)

from orchestration.assets.backfills import studies_by_first_posted_month, studies_by_type, studies_by_update_day
from orchestration.assets.names import BACKFILLED, RECONCILIATION
from orchestration.assets.reconcile import SweepConfig, reconciliation
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import query
from tests.registry_server import Registry, make_study

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def registry() -> Iterator[Registry]:
    studies = [
        make_study(n, f"2024-05-{n:02}", posted=f"2020-{n:02}-15", designModule={"studyType": "OBSERVATIONAL"})
        for n in range(1, 8)
    ]
    with Registry(studies) as server:
        yield server


@pytest.fixture(autouse=True)
def _settings(own_settings: None, monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    monkeypatch.setenv("CTGOV_API_URL", registry.url)


def run(url: str, asset: AssetsDefinition, instance: DagsterInstance, **options: Any) -> ExecuteInProcessResult:
    return materialize([asset], resources={"warehouse": WarehouseResource(url=url)}, instance=instance, **options)


def said(instance: DagsterInstance, key: AssetKey) -> dict[str | None, dict[str, Any]]:
    """Metadata by partition, the latest of each."""
    records = instance.fetch_materializations(key, limit=100, ascending=True).records
    found = [record.asset_materialization for record in records]
    return {m.partition: {name: value.value for name, value in m.metadata.items()} for m in found if m}


@pytest.mark.integration
def test_one_day_is_loaded_alone(warehouse_url: str) -> None:
    with DagsterInstance.ephemeral() as instance:
        assert run(warehouse_url, studies_by_update_day, instance, partition_key="2024-05-03").success
        about = said(instance, BACKFILLED["update_day"])
    assert list(about) == ["2024-05-03"]
    assert (about["2024-05-03"]["studies_in_window"], about["2024-05-03"]["studies_new"]) == (1, 1)
    assert query(warehouse_url, "select nct_id from raw_ctgov.studies") == [("NCT00000003",)]


@pytest.mark.integration
def test_a_range_is_one_run_and_each_of_its_partitions_says_what_it_held(warehouse_url: str) -> None:
    with DagsterInstance.ephemeral() as instance:
        tags = {RANGE_START: "2024-05-05", RANGE_END: "2024-05-10"}
        assert run(warehouse_url, studies_by_update_day, instance, tags=tags).success
        about = said(instance, BACKFILLED["update_day"])
    assert {day: m["studies_in_window"] for day, m in about.items()} == {
        **dict.fromkeys(("2024-05-05", "2024-05-06", "2024-05-07"), 1),
        **dict.fromkeys(("2024-05-08", "2024-05-09", "2024-05-10"), 0),
    }
    assert {m["studies_new"] for m in about.values()} == {3}


@pytest.mark.integration
def test_months_and_types_fill_a_warehouse(warehouse_url: str) -> None:
    with DagsterInstance.ephemeral() as instance:
        tags = {RANGE_START: "2020-01-01", RANGE_END: "2020-03-01"}
        assert run(warehouse_url, studies_by_first_posted_month, instance, tags=tags).success
        assert run(warehouse_url, studies_by_type, instance, partition_key="OBSERVATIONAL").success
        months, types = (said(instance, BACKFILLED[kind]) for kind in ("first_posted_month", "study_type"))
    assert {key: m["window_new"] for key, m in months.items()} == dict.fromkeys(
        ("2020-01-01", "2020-02-01", "2020-03-01"), 1
    )
    assert (types["OBSERVATIONAL"]["studies_in_window"], types["OBSERVATIONAL"]["window_new"]) == (7, 4)
    assert query(warehouse_url, "select found_by, count(*) from raw_ctgov.studies group by 1") == [("first_load", 7)]


@pytest.mark.integration
def test_the_sweep_tells_what_it_found(warehouse_url: str, registry: Registry) -> None:
    with DagsterInstance.ephemeral() as instance:
        run(warehouse_url, reconciliation, instance)
        registry.studies[0]["text"] = "silent"
        registry.studies.pop()
        config = RunConfig({"raw_ctgov__reconciliation": SweepConfig(most_gone=1.0)})
        assert run(warehouse_url, reconciliation, instance, run_config=config).success
        about = said(instance, RECONCILIATION)[None]
    assert (about["silent_changes"], about["gone"], about["dagster/row_count"]) == (1, 1, 2)
    assert "| NCT00000001 | changed without a new date | 2024-05-01 | 2024-05-01 |" in about["examples"]
    assert "| NCT00000007 | left the registry |" in about["examples"]


def test_the_nightly_job_has_no_window_and_no_sweep_the_weekly_one_orders_its_steps() -> None:
    from orchestration.definitions import defs

    nightly = defs.resolve_job_def("nightly_refresh").asset_layer.selected_asset_keys
    assert not nightly & {RECONCILIATION, *BACKFILLED.values()}
    weekly = defs.resolve_job_def("weekly_reconcile")
    assert {key.path[0] for key in weekly.asset_layer.selected_asset_keys} == {
        *("raw_ctgov", "ctgov", "intermediate", "analytics")
    }
    order = [node.name for node in weekly.graph.nodes_in_topological_order]
    sweep, load, staging, marts = (
        next(place for place, name in enumerate(order) if name.startswith(start))
        for start in ("raw_ctgov__reconciliation", "load_clinicaltrials_gov", "dbt_staging", "dbt_analytics")
    )
    assert sweep < load < staging < marts


@pytest.mark.parametrize(
    ("job", "asset"),
    [
        ("backfill_update_days", studies_by_update_day),
        ("backfill_first_posted_months", studies_by_first_posted_month),
        ("backfill_study_types", studies_by_type),
    ],
)
def test_each_backfill_job_has_its_asset_s_partitions(job: str, asset: AssetsDefinition) -> None:
    from orchestration.definitions import defs

    definition = defs.resolve_job_def(job)
    assert definition.partitions_def == asset.partitions_def
    assert definition.asset_layer.selected_asset_keys == {asset.key}
    assert definition.backfill_policy == asset.backfill_policy
