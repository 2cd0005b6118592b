"""ClinicalTrials.gov's raw tables as assets: a thin wrapper around `ingest.clinicaltrials_gov`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    AssetSpec,
    MaterializeResult,
    RetryPolicy,
    multi_asset,
)
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, build_dlt_asset_specs
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.common.pipeline import LoadInfo

from ingest.clinicaltrials_gov import LoadSummary, StudyLoad, clinicaltrials_gov
from ingest.pipelines import pipeline
from orchestration.assets.names import BACKFILLED, OWNERS, RECONCILIATION, REGISTRY
from orchestration.assets.selected import selected
from orchestration.assets.steps import placed
from orchestration.progress import Reporter
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import PUBLIC_CTGOV_API_URL, Settings, settings

DATASET = "raw_ctgov"
DESCRIPTIONS = {
    "studies": "One row per study: the registry's whole JSON record, its hash, and when it last changed here.",
    "rejected_studies": "Records that could not be loaded, with the reason and their text.",
    "registry_versions": "The registry's dataTimestamp at each completed load.",
}


# What follows `studies` in a run waits for what else writes it there.
ALSO_WRITTEN_BY = [RECONCILIATION, *BACKFILLED.values()]


class RawTranslator(DagsterDltTranslator):
    """Asset keys that join dbt's sources, and one upstream: the registry."""

    def get_asset_spec(self, data: DltResourceTranslatorData) -> AssetSpec:
        spec = super().get_asset_spec(data)
        return spec.replace_attributes(
            key=AssetKey([DATASET, data.resource.name]),
            deps=[REGISTRY, *(ALSO_WRITTEN_BY if data.resource.name == "studies" else ())],
            group_name="ingestion",
            owners=OWNERS,
            kinds={"dlt", "postgres"},
            description=DESCRIPTIONS[data.resource.name],
            code_version="1",
            metadata={**spec.metadata, "dagster/table_name": f"{DATASET}.{data.resource.name}"},
        )


# They tell Dagster which tables there are; what a run loads from and into is decided when it runs.
SOURCE = clinicaltrials_gov(PUBLIC_CTGOV_API_URL)
PIPELINE = pipeline("clinicaltrials_gov_assets", DATASET, pipelines_dir=settings().home / "dlt")

# Each request is made again for a minute by itself; this is for what lasts a little longer.
LOAD_RETRY = RetryPolicy(max_retries=1, delay=settings().retry_seconds)


@multi_asset(
    name="load_clinicaltrials_gov",
    specs=build_dlt_asset_specs(SOURCE, PIPELINE, RawTranslator()),
    pool="clinicaltrials_gov",
    op_tags=placed("clinicaltrials_gov"),
    # One crawl writes all three, whichever is asked for: see `selected`.
    can_subset=True,
    retry_policy=LOAD_RETRY,
)
def load_clinicaltrials_gov(
    context: AssetExecutionContext, dlt_resource: DagsterDltResource, warehouse: WarehouseResource
) -> Iterator[MaterializeResult[Any]]:
    """Load what changed in the registry, in committed batches: a killed run goes on where it was.

    dagster-dlt's own `run` drops the pipeline's working files first, and with them what a killed run had extracted;
    so the batches are driven here, and its resource gives their metadata.
    """
    config = settings()
    report = Reporter(context.log, "raw_ctgov/studies", "studies")
    with served_registry(config) as (api_url, registry):
        load = StudyLoad(
            api_url,
            config.loader_url(warehouse.url),
            config.home / "dlt",
            scope=config.scope,
            registry=registry,
            progress=lambda p: report(p.studies, p.total),
            backoff=config.request_backoff,
        )
        committed: list[LoadInfo] = []
        for info, batch in load.batches():
            committed = [info]
            context.log.info(f"batch {batch.number} committed: {batch.counts}")
    context.log.info(str(load.summary))
    context.log_event(AssetObservation(REGISTRY, metadata=_registry_metadata(api_url, load.summary)))
    yield from selected(context, _results(context, dlt_resource, warehouse, load, committed))


def _results(
    context: AssetExecutionContext,
    dlt_resource: DagsterDltResource,
    warehouse: WarehouseResource,
    load: StudyLoad,
    committed: list[LoadInfo],
) -> Iterator[MaterializeResult[Any]]:
    for name in DESCRIPTIONS:
        about_load = _dlt_metadata(context, dlt_resource, load, name, committed)
        about_table = warehouse.about(f"{DATASET}.{name}")
        about_studies = load_metadata(load.summary) if name == "studies" else {}
        yield MaterializeResult(
            asset_key=AssetKey([DATASET, name]), metadata={**about_load, **about_table, **about_studies}
        )


@contextmanager
def served_registry(config: Settings) -> Iterator[tuple[str, str | None]]:
    """Yield the API's URL and, for a synthetic registry, whose port differs every time, a name that does not."""
    if config.uses_sandbox:
        # A registry's worth of vocabulary, which only a load in sandbox mode needs.
        from orchestration.local.sandbox import running_sandbox

        with running_sandbox(config) as api_url:
            yield api_url, f"sandbox of {config.sandbox_studies} studies, seed {config.sandbox_seed}"
    else:
        yield config.api_url, None


def _registry_metadata(api_url: str, summary: LoadSummary) -> dict[str, Any]:
    about: dict[str, Any] = {"dataTimestamp": summary.data_timestamp or "unknown", "url": api_url}
    return about if summary.studies_total is None else {**about, "studies": summary.studies_total}


def _dlt_metadata(
    context: AssetExecutionContext,
    dlt_resource: DagsterDltResource,
    load: StudyLoad,
    name: str,
    committed: list[LoadInfo],
) -> dict[str, Any]:
    """The jobs of the last batch; none where nothing was loaded, or only what a killed run had extracted."""
    trace = load.pipeline.last_trace
    if not committed or trace is None or trace.last_normalize_info is None:
        return {}
    return dict(dlt_resource.extract_resource_metadata(context, SOURCE.resources[name], committed[-1], load.pipeline))


def load_metadata(summary: LoadSummary) -> dict[str, Any]:
    """What the load did, as metadata of the studies; `bioloupe refresh` shows it too."""
    return {
        "studies_new": summary.new,
        "studies_changed": summary.changed,
        "studies_unchanged": summary.unchanged,
        "studies_gone": summary.gone,
        "studies_returned": summary.returned,
        "studies_rejected": summary.rejected,
        # Only a load of the whole registry can tell.
        **({} if summary.difference is None else {"studies_missing_here": summary.difference}),
        "nothing_to_do": summary.nothing_to_do,
        "registry_timestamp": summary.data_timestamp or "unknown",
        "pages": summary.pages,
        "megabytes": round(summary.bytes / 1e6, 1),
        "seconds": round(summary.seconds, 1),
        "studies_per_second": round(summary.rate, 1),
    }
