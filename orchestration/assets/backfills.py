"""Windows of the registry as partitioned assets: rows of `raw_ctgov.studies` that a day, a month or a type brings."""

import warnings
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, BackfillPolicy, PartitionsDefinition, asset
from dagster_shared.utils.warnings import BetaWarning

from ingest.clinicaltrials_gov import WindowLoad
from ingest.clinicaltrials_gov.windows import WindowKind
from orchestration.assets.ingestion import LOAD_RETRY, load_metadata, served_registry
from orchestration.assets.names import BACKFILLED, OWNERS, REGISTRY
from orchestration.assets.steps import placed
from orchestration.automation.partitions import FIRST_POSTED_MONTHS, STUDY_TYPES, UPDATE_DAYS
from orchestration.progress import Reporter
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings


def _windows(
    kind: WindowKind, partitions: PartitionsDefinition[str], policy: BackfillPolicy, description: str
) -> AssetsDefinition:
    """The asset of one kind of window: a run loads all the partitions that it is given together."""

    def load_windows(context: AssetExecutionContext, warehouse: WarehouseResource) -> None:
        _load(context, warehouse, kind)

    with warnings.catch_warnings():
        # Dagster calls backfill policies a beta whenever the definitions load.
        warnings.simplefilter("ignore", BetaWarning)
        return asset(
            key=BACKFILLED[kind],
            deps=[REGISTRY],
            partitions_def=partitions,
            backfill_policy=policy,
            group_name="ingestion",
            owners=OWNERS,
            kinds={"dlt", "postgres"},
            description=description,
            code_version="1",
            tags={"pii": "public_contacts"},
            pool="clinicaltrials_gov",
            op_tags=placed("clinicaltrials_gov"),
            retry_policy=LOAD_RETRY,
        )(load_windows)


def _load(context: AssetExecutionContext, warehouse: WarehouseResource, kind: WindowKind) -> None:
    """Load the run's partitions; each one's materialization says what was in it."""
    config, keys = settings(), list(context.partition_keys)
    report = Reporter(context.log, "/".join(BACKFILLED[kind].path), "studies")
    with served_registry(config) as (api_url, registry):
        load = WindowLoad(
            api_url,
            config.loader_url(warehouse.url),
            config.home / "dlt",
            scope=config.scope,
            registry=registry,
            progress=lambda p: report(p.studies, p.total),
            backoff=config.request_backoff,
            kind=kind,
            keys=keys,
        )
        for _, batch in load.batches():
            context.log.info(f"batch {batch.number} committed: {batch.counts}")
    context.log.info(f"{len(keys)} windows of {kind}; {load.summary}")
    for key in keys:
        found: dict[str, Any] = load.found.get(key, {"studies": 0, "new": 0, "changed": 0})
        about = {"studies_in_window": found["studies"], "window_new": found["new"], "window_changed": found["changed"]}
        context.add_asset_metadata({**load_metadata(load.summary), **about}, partition_key=key)


# Few studies a day: one run for all the nights that were missed costs one start, and goes on where it was.
studies_by_update_day = _windows(
    "update_day",
    UPDATE_DAYS,
    BackfillPolicy.single_run(),
    "Studies last updated on a day, for nights that were missed: loaded into `raw_ctgov.studies`, nothing is deleted.",
)
# A run fetches several months at once. Five years of them are an hour's work at the public registry's rate at most, so
# a failure costs little, and what is done stays done.
studies_by_first_posted_month = _windows(
    "first_posted_month",
    FIRST_POSTED_MONTHS,
    BackfillPolicy.multi_run(max_partitions_per_run=60),
    "Studies first posted in a month, for the first load of a registry: several months are fetched at once.",
)
studies_by_type = _windows(
    "study_type",
    STUDY_TYPES,
    BackfillPolicy.multi_run(max_partitions_per_run=1),
    "Studies of one type, for a team that needs the interventional ones first; `MISSING` are those without a type.",
)
BACKFILLS = [studies_by_update_day, studies_by_first_posted_month, studies_by_type]
