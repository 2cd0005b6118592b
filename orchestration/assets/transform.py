"""The dbt project as assets, in two steps: what the language model reads, and what reads its answers."""

from collections.abc import Iterator
from typing import Any

from dagster import AssetExecutionContext
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from orchestration.project import dbt_project

PROJECT = dbt_project()
TRANSLATOR = DagsterDbtTranslator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
BEFORE_ENRICHMENT = "path:models/staging path:models/intermediate"
AFTER_ENRICHMENT = "path:models/analytics"


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    select=BEFORE_ENRICHMENT,
    dagster_dbt_translator=TRANSLATOR,
    name="dbt_staging",
    pool="warehouse",
)
def dbt_staging(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Build staging and intermediate. A failed error-severity test ends the step, so no text is paid for."""
    yield from _build(context, dbt)


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    select=AFTER_ENRICHMENT,
    dagster_dbt_translator=TRANSLATOR,
    name="dbt_analytics",
    pool="warehouse",
)
def dbt_analytics(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Build the marts."""
    yield from _build(context, dbt)


def _build(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    # Unit tests prove a rule against made-up rows: they belong to `dbt build` while modelling and to
    # `make test`, not to every night.
    args = ["build", "--exclude-resource-type", "unit_test"]
    yield from dbt.cli(args, context=context).stream().fetch_row_counts().fetch_column_metadata()
