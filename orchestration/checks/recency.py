"""Freshness as Dagster checks: of the sources, by dbt's bounds, and of staging against what is loaded."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    multi_asset_check,
)

from orchestration.checks.freshness import FRESHNESS, UP_TO_DATE, SourceFreshness, age_verdicts, staging_verdicts
from orchestration.checks.tables import relation, result, specs_of, tables_of
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import connect

STUDIES = AssetKey(["raw_ctgov", "studies"])


def source_freshness(sources: Iterable[SourceFreshness]) -> AssetChecksDefinition:
    """One check for each source that has bounds, all answered by one query.

    Not blocking: what is old may still be modelled, and costs nothing where nothing is new.
    """
    keys = {AssetKey(source.relation.split(".")): source for source in sources}

    @multi_asset_check(
        name="source_freshness",
        specs=[AssetCheckSpec(FRESHNESS, asset=key, description=_bounds(source)) for key, source in keys.items()],
        can_subset=True,
        description="How old the loaded tables are, by the bounds of dbt's `freshness`.",
    )
    def checks(context: AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        with closing(connect(warehouse.url)) as connection:
            wanted = [source for key, source in keys.items() if key in selected]
            for source, verdict in age_verdicts(connection, wanted):
                yield result(AssetKey(source.relation.split(".")), source.relation, verdict)

    return checks


def staging_recency(assets: Iterable[AssetsDefinition | AssetSpec]) -> AssetChecksDefinition:
    """For each table of `ctgov`: has it read all that is loaded? One query answers for all of them."""
    assets = list(assets)
    staging = tables_of(assets)["staging"]
    by_load = {spec.key for spec in specs_of(assets) if STUDIES in {dep.asset_key for dep in spec.deps}}
    tables = {key: table for key, table in staging.items() if key in by_load and key.path[0] == "ctgov"}
    intermediate = next(table for key, table in staging.items() if key.path[0] == "intermediate")
    watermarks = relation(intermediate).split(".")[0] + ".staging_watermarks"
    about = "Warning: studies are loaded that this table has not read; error: for more than 30 hours."

    @multi_asset_check(
        name="staging_recency",
        specs=[AssetCheckSpec(UP_TO_DATE, asset=key, description=about) for key in tables],
        can_subset=True,
        description="Whether staging has read all that is loaded.",
    )
    def checks(context: AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        wanted = {key: table for key, table in tables.items() if key in selected}
        with closing(connect(warehouse.url)) as connection:
            verdicts = staging_verdicts(connection, wanted.values(), watermarks)
        yield from (result(key, table, verdicts[table]) for key, table in wanted.items())

    return checks


def _bounds(source: SourceFreshness) -> str:
    told = [
        f"{name} after {bound}"
        for name, bound in (("warning", source.warn_after), ("error", source.error_after))
        if bound
    ]
    return f"How long ago `{source.loaded_at}` was: {', '.join(told)}. As `dbt source freshness`."
