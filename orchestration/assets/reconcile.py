"""The weekly sweep as an asset: the whole registry's content compared with ours."""

from typing import Any

from dagster import AssetExecutionContext, Config, MaterializeResult, MetadataValue, asset
from pydantic import Field

from ingest.clinicaltrials_gov import Reconcile, Reconciliation
from orchestration.assets.ingestion import DATASET, LOAD_RETRY, load_metadata, served_registry
from orchestration.assets.names import OWNERS, RECONCILIATION, REGISTRY
from orchestration.assets.steps import placed
from orchestration.progress import Reporter
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings

WORDS = {
    "missed_new": "new, missed by date",
    "missed_change": "changed, missed by date",
    "silent_change": "changed without a new date",
    "not_due": "since the last nightly load",
    "returned": "came back",
    "gone": "left the registry",
}


class SweepConfig(Config):
    """What one sweep may believe."""

    most_gone: float = Field(
        0.1, ge=0, le=1, description="Where a larger share of our studies is absent, none of them is marked as gone."
    )


@asset(
    key=RECONCILIATION,
    deps=[REGISTRY],
    group_name="ingestion",
    owners=OWNERS,
    kinds={"dlt", "postgres"},
    description=(
        "One row per sweep in `raw_ctgov.reconciliations`: the whole registry is read and its content hashes compared "
        "with ours. Silent changes are loaded, vanished studies marked `deleted_at`, what nightly loading missed told."
    ),
    code_version="1",
    metadata={"dagster/table_name": f"{DATASET}.reconciliations"},
    pool="clinicaltrials_gov",
    op_tags=placed("clinicaltrials_gov"),
    retry_policy=LOAD_RETRY,
)
def reconciliation(
    context: AssetExecutionContext, config: SweepConfig, warehouse: WarehouseResource
) -> MaterializeResult[Any]:
    """Sweep; a killed one goes on where it was."""
    configured = settings()
    report = Reporter(context.log, "/".join(RECONCILIATION.path), "studies")
    with served_registry(configured) as (api_url, registry):
        sweep = Reconcile(
            api_url,
            configured.loader_url(warehouse.url),
            configured.home / "dlt",
            scope=configured.scope,
            registry=registry,
            progress=lambda p: report(p.studies, p.total),
            backoff=configured.request_backoff,
            most_gone=config.most_gone,
        )
        for _, batch in sweep.batches():
            context.log.info(f"batch {batch.number} committed: {batch.counts}")
    assert sweep.result is not None
    if sweep.result.note:
        context.log.warning(sweep.result.note)
    about = warehouse.about(f"{DATASET}.reconciliations")
    return MaterializeResult(metadata={**about, **load_metadata(sweep.summary), **_found(sweep.result)})


def _found(result: Reconciliation) -> dict[str, Any]:
    return {
        "missed_new": result.missed_new,
        "missed_changes": result.missed_changes,
        "silent_changes": result.silent_changes,
        "not_due": result.not_due,
        "gone": result.gone,
        "returned": result.returned,
        "held_back": result.held_back,
        "note": result.note or "",
        "examples": MetadataValue.md(_table(result.examples)),
    }


def _table(examples: list[list[str]]) -> str:
    """Markdown; what differs of each kind, a few studies as examples."""
    if not examples:
        return "Nothing was missed."
    rows = [f"| {nct_id} | {WORDS[kind]} | {ours} | {theirs} |" for kind, nct_id, ours, theirs in examples]
    return "\n".join(["| study | what | our update date | the registry's |", "|---|---|---|---|", *rows])
