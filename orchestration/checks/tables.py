"""Anomaly checks as Dagster sees them: row counts, null rates and columns of every table, one step per layer."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from math import isfinite
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    multi_asset_check,
)

from orchestration.assets.names import RECONCILIATION
from orchestration.checks.bounds import bounds_of
from orchestration.checks.history import examine
from orchestration.checks.verdicts import COLUMNS, NULL_RATES, ROW_COUNT, Bounds, Verdict
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import connect

LAYERS = {"ingestion": "raw_checks", "staging": "staging_checks", "enrichment": "enrichment_checks"} | {
    "analytics": "mart_checks"
}
# A step of its own: a table of its layer is loaded after it in the same run.
APART = {RECONCILIATION: "sweep_checks"}


def table_checks(assets: Iterable[AssetsDefinition | AssetSpec]) -> list[AssetChecksDefinition]:
    """The checks of every table among the assets that one run builds as a whole, one definition per layer.

    A layer's checks are one step: what follows any table of the layer waits for it, and does not run where one of
    them fails with severity error.
    """
    steps: dict[str, dict[AssetKey, str]] = {}
    for group, tables in tables_of(assets).items():
        for key, table in tables.items():
            steps.setdefault(APART.get(key, LAYERS[group]), {})[key] = table
    return [_layer_checks(name, tables) for name, tables in steps.items()]


def tables_of(assets: Iterable[AssetsDefinition | AssetSpec]) -> dict[str, dict[AssetKey, str]]:
    """Group → asset → `schema.table`, of the unpartitioned assets that are tables of the warehouse."""
    layers: dict[str, dict[AssetKey, str]] = {}
    for spec in specs_of(assets):
        table = spec.metadata.get("dagster/table_name")
        if table and spec.group_name in LAYERS and spec.partitions_def is None:
            layers.setdefault(spec.group_name, {})[spec.key] = relation(str(table))
    return layers


def relation(table_name: str) -> str:
    """`schema.table` of a table's name, which dbt writes with the database before it."""
    return ".".join(table_name.split(".")[-2:])


def specs_of(assets: Iterable[AssetsDefinition | AssetSpec]) -> Iterator[AssetSpec]:
    """What is said of each asset that is made here."""
    for asset in assets:
        yield from asset.specs if isinstance(asset, AssetsDefinition) else ()


def _layer_checks(name: str, tables: Mapping[AssetKey, str]) -> AssetChecksDefinition:
    specs = [
        AssetCheckSpec(check, asset=key, blocking=True, description=about)
        for key, table in tables.items()
        for check, about in _descriptions(table, bounds_of(table)).items()
    ]

    @multi_asset_check(
        name=name,
        specs=specs,
        can_subset=True,
        description="Row counts, null rates and columns of a layer's tables, compared with earlier nights.",
    )
    def checks(context: AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[AssetCheckResult]:
        selected = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
        with closing(connect(warehouse.url)) as connection:
            for key, table in tables.items():
                wanted = {check for asset, check in selected if asset == key}
                if wanted:
                    verdicts = examine(connection, table, bounds_of(table), context.run.run_id)
                    yield from (result(key, table, verdict) for verdict in verdicts if verdict.check in wanted)

    return checks


def _descriptions(table: str, bounds: Bounds) -> dict[str, str]:
    accept = f"Where it is meant so: `bioloupe checks accept {table}`."
    shrink = f"lost more than {bounds.shrink:.0%} of its rows within a week" if bounds.shrink else "lost a row"
    growth = f"Warning: it grew by more than {bounds.growth:.0%}. " if isfinite(bounds.growth) else ""
    return {
        ROW_COUNT: f"Error, and what follows waits: the table {shrink}, or {bounds.gone:.0%} of its rows are marked as "
        f"gone. {growth}{accept}",
        NULL_RATES: f"A column lost more of its values than its rows account for: beyond {bounds.nulls_warn:.0%} a "
        f"warning, beyond {bounds.nulls_error:.0%} an error, and what follows waits. {accept}",
        COLUMNS: f"A dropped column is an error, and what follows waits; a new column or type is a warning. {accept}",
    }


def result(key: AssetKey, table: str, verdict: Verdict) -> AssetCheckResult:
    """A verdict as Dagster shows it; one that holds what follows names the ways out."""
    remedy = _remedy(table) if verdict.holds and verdict.check in (ROW_COUNT, NULL_RATES, COLUMNS) else ""
    metadata: dict[str, Any] = {"dagster/table_name": table, **verdict.numbers}
    return AssetCheckResult(
        asset_key=key,
        check_name=verdict.check,
        passed=verdict.passed,
        severity=AssetCheckSeverity[verdict.severity],
        description=verdict.text + remedy,
        metadata=metadata,
    )


def _remedy(table: str) -> str:
    """How to accept a table as it stands and, where it is staged from what is loaded, how to build it anew."""
    schema, name = table.split(".")
    staged = schema.split("__")[-1] == "ctgov"
    repair = f"; where not: `dbt run --full-refresh --select stg_ctgov__{name}`" if staged else ""
    return f". Where it is meant so: `bioloupe checks accept {table}`{repair}; then run again"
