"""Dagster's definitions: one connected graph from the registry to the marts, described and guarded throughout."""

from collections.abc import Mapping
from typing import Any

import pytest
from dagster import AssetKey, AssetSpec, Definitions

from orchestration.assets.export import EXPORT
from orchestration.assets.names import REGISTRY
from orchestration.assets.transform import TRANSLATOR

STUDIES, TEXTS = AssetKey(["raw_ctgov", "studies"]), AssetKey(["intermediate", "int_stop_reason_texts"])
LOADS = AssetKey(["raw_ctgov", "registry_versions"])
ANSWERS, STOPPED = AssetKey(["enrichment", "stop_reasons"]), AssetKey(["analytics", "fct_stopped_trials"])


@pytest.fixture(scope="module")
def defs() -> Definitions:
    from orchestration.definitions import defs

    return defs


@pytest.fixture(scope="module")
def graph(defs: Definitions) -> Any:
    return defs.resolve_asset_graph()


@pytest.fixture(scope="module")
def specs(defs: Definitions) -> Mapping[AssetKey, AssetSpec]:
    return {spec.key: spec for spec in defs.resolve_all_asset_specs()}


def test_the_registry_is_the_only_node_that_nothing_here_makes(graph: Any) -> None:
    assert {key for key in graph.get_all_asset_keys() if graph.get(key).is_external} == {REGISTRY}
    assert {key for key in graph.get_all_asset_keys() if not graph.get(key).parent_keys} == {REGISTRY}


def test_every_node_descends_from_the_registry(graph: Any) -> None:
    reached, frontier = {REGISTRY}, {REGISTRY}
    while frontier:
        frontier = {child for key in frontier for child in graph.get(key).child_keys} - reached
        reached |= frontier
    assert reached == graph.get_all_asset_keys()


def test_the_reading_sits_between_dbt_s_two_steps(graph: Any) -> None:
    assert graph.get(AssetKey(["ctgov", "stg_ctgov__studies"])).parent_keys == {STUDIES, LOADS}
    assert graph.get(ANSWERS).parent_keys == {TEXTS}
    assert ANSWERS in graph.get(STOPPED).parent_keys
    enriched = {key for key in graph.get_all_asset_keys() if key.path[0] == "enrichment"}
    readers = {child for key in enriched for child in graph.get(key).child_keys}
    assert {key.path[0] for key in readers} == {"analytics"}


def test_every_asset_is_described_owned_grouped_and_of_a_kind(specs: Mapping[AssetKey, AssetSpec]) -> None:
    groups = {"ingestion", "staging", "enrichment", "analytics", "reports"}
    assert {spec.group_name for spec in specs.values()} == groups
    assert [key for key, spec in specs.items() if not (spec.description and spec.owners and spec.kinds)] == []


def test_what_is_made_here_has_a_code_version(specs: Mapping[AssetKey, AssetSpec]) -> None:
    assert [key for key, spec in specs.items() if key != REGISTRY and not spec.code_version] == []


def test_dbt_tests_block_what_follows(graph: Any) -> None:
    checks = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(checks) >= 100
    assert [check.key for check in checks if not check.blocking] == []
    assert {check.asset_key.path[0] for check in checks} >= {"raw_ctgov", "ctgov", "intermediate", "analytics"}
    assert TRANSLATOR.settings.enable_source_tests_as_checks


def test_the_nightly_job_s_steps_run_in_one_process(defs: Definitions) -> None:
    job = defs.resolve_job_def("nightly_refresh")
    steps = {"load_clinicaltrials_gov", "dbt_staging", "enrich_stop_reasons", "dbt_analytics"}
    assert {node.name for node in job.nodes} >= steps | {"raw_checks", "staging_checks", "enrichment_checks"}
    assert job.executor_def.name == "in_process"


@pytest.mark.parametrize(
    ("step", "checks"),
    [
        ("dbt_staging", "raw_checks"),
        ("enrich_stop_reasons", "staging_checks"),
        ("dbt_analytics", "staging_checks"),
        ("dbt_analytics", "enrichment_checks"),
    ],
)
def test_a_layer_s_checks_come_before_what_follows(defs: Definitions, step: str, checks: str) -> None:
    job = defs.resolve_job_def("nightly_refresh")
    needed = {
        upstream.node_name
        for outputs in job.dependency_structure.input_to_upstream_outputs_for_node(step).values()
        for upstream in outputs
    }
    assert checks in needed


@pytest.mark.parametrize("name", ["load_clinicaltrials_gov", "enrich_stop_reasons"])
def test_what_talks_to_the_network_is_tried_again(defs: Definitions, name: str) -> None:
    node = defs.resolve_job_def("nightly_refresh").get_node_named(name)
    assert node.definition.retry_policy is not None


def test_the_schedule_runs_at_two_in_new_york(defs: Definitions) -> None:
    schedule = defs.resolve_schedule_def("nightly_refresh")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "America/New_York")


def test_the_export_follows_every_table_it_writes_and_has_a_job_of_its_own(defs: Definitions, graph: Any) -> None:
    tables = {key for key in graph.get_all_asset_keys() if key.path[0] in ("ctgov", "analytics")}
    assert graph.get(EXPORT).parent_keys == tables
    assert defs.resolve_job_def("export").executor_def.name == "in_process"
    assert EXPORT not in defs.resolve_job_def("nightly_refresh").asset_layer.executable_asset_keys
    (export,) = defs.resolve_job_def("export").graph.nodes
    ops = export.definition.nodes
    assert len(ops) == 6
    assert [op.name for op in ops if op.definition.retry_policy is None] == []
