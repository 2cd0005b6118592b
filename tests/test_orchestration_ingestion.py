"""The load as an asset: what it says of a load, and that a killed one is picked up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult, materialize
from dagster_dlt import DagsterDltResource

from ingest import pipelines
from ingest.clinicaltrials_gov import StudyLoad
from orchestration.assets.ingestion import load_clinicaltrials_gov
from orchestration.assets.names import REGISTRY
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import query
from tests.registry_server import Registry, make_study

pytestmark = pytest.mark.integration


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry([make_study(number) for number in range(1, 8)]) as server:
        yield server


@pytest.fixture(autouse=True)
def _settings(own_settings: None, monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    monkeypatch.setenv("CTGOV_API_URL", registry.url)


def run(url: str, instance: DagsterInstance | None = None) -> ExecuteInProcessResult:
    resources = {"warehouse": WarehouseResource(url=url), "dlt_resource": DagsterDltResource()}
    return materialize([load_clinicaltrials_gov], resources=resources, instance=instance or DagsterInstance.ephemeral())


def studies_metadata(result: ExecuteInProcessResult) -> dict[str, object]:
    found = result.asset_materializations_for_node("load_clinicaltrials_gov")
    (studies,) = [m for m in found if m.asset_key == AssetKey(["raw_ctgov", "studies"])]
    assert len(found) == 3
    return {name: value.value for name, value in studies.metadata.items()}


def test_a_load_says_what_changed_and_what_the_tables_hold(warehouse_url: str, registry: Registry) -> None:
    first, second = studies_metadata(run(warehouse_url)), studies_metadata(run(warehouse_url))
    assert (first["studies_new"], first["dagster/row_count"], first["nothing_to_do"]) == (7, 7, False)
    assert [column.name for column in first["dagster/column_schema"].columns][:2] == ["nct_id", "last_update_post_date"]  # type: ignore[attr-defined]
    assert (second["studies_new"], second["nothing_to_do"]) == (0, True)
    assert second["registry_timestamp"] == registry.version["dataTimestamp"]


def test_the_registry_is_observed_with_its_timestamp(warehouse_url: str, registry: Registry) -> None:
    instance = DagsterInstance.ephemeral()
    run(warehouse_url, instance)
    (record,) = instance.fetch_observations(REGISTRY, limit=1).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["dataTimestamp"].value == registry.version["dataTimestamp"]


def test_what_a_killed_run_had_extracted_is_loaded_at_the_first_try(
    warehouse_url: str, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    load = StudyLoad(registry.url, warehouse_url, tmp_path / "dlt")
    with monkeypatch.context() as patch:
        patch.setattr(type(load.pipeline), "load", killed)
        with pytest.raises(Killed):
            list(load.batches())
    assert pipelines.pipeline("clinicaltrials_gov", "raw_ctgov", warehouse_url, tmp_path / "dlt").has_pending_data
    result = run(warehouse_url)
    assert result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert query(warehouse_url, "select count(*) from raw_ctgov.studies") == [(7,)]


def test_one_table_asked_for_alone_gives_one_output_and_the_others_are_reported(
    warehouse_url: str, registry: Registry
) -> None:
    instance = DagsterInstance.ephemeral()
    resources = {"warehouse": WarehouseResource(url=warehouse_url), "dlt_resource": DagsterDltResource()}
    versions, studies = AssetKey(["raw_ctgov", "registry_versions"]), AssetKey(["raw_ctgov", "studies"])
    run = materialize([load_clinicaltrials_gov], resources=resources, instance=instance, selection=[versions])
    outputs = [event.step_output_data.output_name for event in run.all_events if event.is_successful_output]
    assert (run.success, outputs) == (True, ["raw_ctgov__registry_versions"])
    assert query(warehouse_url, "select count(*) from raw_ctgov.studies") == [(7,)]
    event = instance.get_latest_materialization_event(studies)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 7
