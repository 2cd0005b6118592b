"""The dbt project as assets, in two steps: what the language model reads, and what reads its answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetSpec
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.assets.dbt_events import events_of
from orchestration.assets.guard import refuse_after_failed_checks
from orchestration.assets.steps import placed
from orchestration.project import dbt_project
from orchestration.resources.warehouse import WarehouseResource

PROJECT = dbt_project()
MANIFEST = validate_manifest(PROJECT.manifest_path)


# Beside each table whose dbt tests are part of a step here: one of the same layer that no dbt test looks at.
BESIDE = {
    AssetKey(["raw_ctgov", "studies"]): AssetKey(["raw_ctgov", "registry_versions"]),
    AssetKey(["enrichment", "stop_reasons"]): AssetKey(["enrichment", "llm_calls"]),
}


class Translator(DagsterDbtTranslator):
    """dagster-dbt's own, and one more upstream for what reads a source that dbt tests.

    A step that checks an asset itself does not wait for that asset's other checks, by Dagster's rule, and dbt's steps
    run the tests of their sources. Through the table beside it, of which they test nothing, they do wait for all the
    anomaly checks of the source's layer, which are one step.
    """

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        deps = {dep.asset_key for dep in spec.deps}
        more = {beside for source, beside in BESIDE.items() if source in deps} - deps
        return spec.replace_attributes(deps=[*spec.deps, *sorted(more)]) if more else spec


TRANSLATOR = Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_code_references=True))
BEFORE_ENRICHMENT = "path:models/staging path:models/intermediate"
AFTER_ENRICHMENT = "path:models/analytics"


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    select=BEFORE_ENRICHMENT,
    dagster_dbt_translator=TRANSLATOR,
    name="dbt_staging",
    pool="warehouse",
    op_tags=placed("warehouse"),
)
def dbt_staging(context: AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource) -> Iterator[Any]:
    """Build staging and intermediate. A failed error-severity test ends the step, so no text is paid for."""
    yield from _build(context, dbt, warehouse)


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    select=AFTER_ENRICHMENT,
    dagster_dbt_translator=TRANSLATOR,
    name="dbt_analytics",
    pool="warehouse",
    op_tags=placed("warehouse"),
)
def dbt_analytics(context: AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource) -> Iterator[Any]:
    """Build the marts."""
    refuse_after_failed_checks(context)
    yield from _build(context, dbt, warehouse)


def _build(context: AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource) -> Iterator[Any]:
    # Unit tests prove a rule against made-up rows: they belong to `dbt build` while modelling and to
    # `make test`, not to every night.
    args = ["build", "--exclude-resource-type", "unit_test"]
    yield from events_of(dbt.cli(args, context=context), TRANSLATOR, warehouse)
