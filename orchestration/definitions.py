"""Everything Dagster knows of this project, put together."""

from dagster import Definitions, in_process_executor
from dagster_dbt import DbtCliResource
from dagster_dlt import DagsterDltResource

from orchestration.assets.catalogue import catalogued
from orchestration.assets.enrichment import enrich_stop_reasons
from orchestration.assets.export import export_files
from orchestration.assets.ingestion import load_clinicaltrials_gov
from orchestration.assets.names import registry
from orchestration.assets.transform import MANIFEST, PROJECT, dbt_analytics, dbt_staging
from orchestration.automation.jobs import export, nightly_refresh, nightly_schedule
from orchestration.branch_definitions import branch_definitions
from orchestration.checks.freshness import sources
from orchestration.checks.recency import source_freshness, staging_recency
from orchestration.checks.tables import table_checks
from orchestration.resources.export import ExportResource
from orchestration.resources.language_model import LanguageModel
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings

ASSETS = catalogued(
    [
        registry,
        load_clinicaltrials_gov,
        dbt_staging,
        enrich_stop_reasons,
        dbt_analytics,
        export_files,
    ]
)

defs = Definitions(
    assets=ASSETS,
    asset_checks=[*table_checks(ASSETS), source_freshness(sources(MANIFEST)), staging_recency(ASSETS)],
    jobs=[nightly_refresh, export],
    schedules=[nightly_schedule],
    resources={
        "dlt_resource": DagsterDltResource(),
        "dbt": DbtCliResource(project_dir=PROJECT, dbt_executable="dbt"),
        "warehouse": WarehouseResource(),
        "export": ExportResource(),
        "language_model": LanguageModel(),
    },
    # A step costs milliseconds in process and seconds in a process of its own.
    executor=in_process_executor,
)

if settings().branch:
    defs = branch_definitions(defs, nightly_refresh.name)
