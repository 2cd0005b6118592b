"""Dagster's definitions: one connected graph from the registry to the marts, described and guarded throughout."""

from collections.abc import Mapping
from typing import Any

import pytest
from dagster import AssetKey, AssetSpec, Definitions
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

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


def test_all_checks_but_those_of_age_and_of_new_words_block_what_follows(graph: Any) -> None:
    # A word that the registry has not used before is worth a look, not a night without data.
    new_words = {key.name for key in graph.asset_check_keys if key.name.startswith("accepted_values_stg_ctgov__")}
    checks = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(checks) >= 200
    assert {check.name for check in checks if not check.blocking} - new_words == {
        "freshness",
        "known_fields",
        "up_to_date",
    }
    assert {check.asset_key.path[0] for check in checks} >= {"raw_ctgov", "ctgov", "intermediate", "analytics"}
    assert TRANSLATOR.settings.enable_source_tests_as_checks


@pytest.mark.parametrize("group", ["ingestion", "staging", "enrichment", "analytics"])
def test_every_table_s_rows_null_rates_and_columns_are_compared(graph: Any, group: str) -> None:
    tables = {key for key in graph.materializable_asset_keys if graph.get(key).group_name == group}
    tables = {key for key in tables if graph.get(key).partitions_def is None}
    for name in ("row_count", "null_rates", "columns"):
        assert tables - {key.asset_key for key in graph.asset_check_keys if key.name == name} == set()


def test_staging_is_tested_by_dbt_and_its_age_is_known(graph: Any) -> None:
    staged = {key for key in graph.materializable_asset_keys if key.path[0] == "ctgov"}
    names = {key: {check.name for check in graph.asset_check_keys if check.asset_key == key} for key in staged}
    assert len(staged) >= 19
    assert [key for key, found in names.items() if not any(name.startswith("not_null_") for name in found)] == []
    assert [key for key, found in names.items() if "up_to_date" not in found] == []


def test_each_asset_says_its_layer_its_cost_and_whether_it_names_people(specs: Mapping[AssetKey, AssetSpec]) -> None:
    for spec in specs.values():
        assert {"layer", "domain", "pii", "cost"} <= set(spec.tags), spec.key
        assert spec.tags["layer"] != "other", spec.key
    assert specs[STUDIES].tags["pii"] == "public_contacts"
    assert specs[ANSWERS].tags["cost"] == "paid_api"


def test_what_is_made_every_night_says_how_old_it_may_be(specs: Mapping[AssetKey, AssetSpec]) -> None:
    nightly = [s for s in specs.values() if s.partitions_def is None and s.key != REGISTRY]
    assert [spec.key for spec in nightly if spec.freshness_policy is None] == []
    policy = specs[STUDIES].freshness_policy
    assert isinstance(policy, TimeWindowFreshnessPolicy)
    assert policy.warn_window


def test_each_asset_names_its_table_and_leads_to_its_code(specs: Mapping[AssetKey, AssetSpec]) -> None:
    made = [spec for spec in specs.values() if spec.key != REGISTRY]
    assert [spec.key for spec in made if "dagster/code_references" not in spec.metadata] == []
    tables = [s for s in made if s.group_name in {"ingestion", "staging", "enrichment", "analytics"}]
    assert [s.key for s in tables if s.partitions_def is None and "dagster/table_name" not in s.metadata] == []
    assert "dagster/uri" in specs[REGISTRY].metadata


def test_a_model_s_code_version_follows_its_sql(specs: Mapping[AssetKey, AssetSpec]) -> None:
    versions = [spec.code_version for key, spec in specs.items() if key.path[0] == "ctgov"]
    assert len(set(versions)) == len(versions)


@pytest.mark.parametrize("name", ["load_clinicaltrials_gov", "enrich_stop_reasons", "dbt_staging", "dbt_analytics"])
def test_one_table_can_be_asked_for_alone(defs: Definitions, name: str) -> None:
    (step,) = [a for a in defs.resolve_asset_graph().assets_defs if a.is_executable and a.node_def.name == name]
    assert step.can_subset


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
