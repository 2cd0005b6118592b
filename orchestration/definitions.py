"""Everything Dagster knows of this project, put together."""

from dagster import Definitions, PipesSubprocessClient
from dagster_dbt import DbtCliResource
from dagster_dlt import DagsterDltResource

from orchestration.assets.backfills import BACKFILLS
from orchestration.assets.catalogue import catalogued
from orchestration.assets.catalysts import catalysts
from orchestration.assets.enrichment import enrich_stop_reasons
from orchestration.assets.export import export_files
from orchestration.assets.ingestion import load_clinicaltrials_gov
from orchestration.assets.names import registry
from orchestration.assets.reconcile import reconciliation
from orchestration.assets.reports import TABLES, brief, brief_tables
from orchestration.assets.transform import MANIFEST, PROJECT, dbt_analytics, dbt_staging
from orchestration.assets.watchlists import watchlist_brief, watchlist_trials, weekly_digest
from orchestration.automation.alert_sensors import alert_failures, alert_recoveries, alert_stale_data
from orchestration.automation.conditions import automation, with_conditions
from orchestration.automation.jobs import check_only, draw_brief, export, nightly_refresh
from orchestration.automation.load_jobs import LOAD_JOBS
from orchestration.automation.partitioned_jobs import REPORT_JOBS
from orchestration.automation.schedules import SCHEDULES
from orchestration.automation.sensors import registry_updated
from orchestration.automation.watchlist_sensor import watchlist_sensor
from orchestration.branch_definitions import branch_definitions
from orchestration.checks.fields import known_fields
from orchestration.checks.freshness import sources
from orchestration.checks.recency import source_freshness, staging_recency
from orchestration.checks.tables import table_checks
from orchestration.deploy.executors import executor
from orchestration.resources.export import ExportResource
from orchestration.resources.language_model import LanguageModel
from orchestration.resources.tables import tables
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings

ASSETS = catalogued(
    [
        registry,
        load_clinicaltrials_gov,
        *BACKFILLS,
        reconciliation,
        dbt_staging,
        enrich_stop_reasons,
        dbt_analytics,
        brief_tables,
        brief,
        watchlist_trials,
        watchlist_brief,
        weekly_digest,
        catalysts,
        export_files,
    ]
)

CHECKS = [*table_checks(ASSETS), source_freshness(sources(MANIFEST)), staging_recency(ASSETS), known_fields()]

defs = Definitions(
    # A branch is built when somebody asks.
    assets=ASSETS if settings().branch else with_conditions(ASSETS, CHECKS),
    asset_checks=CHECKS,
    jobs=[nightly_refresh, draw_brief, check_only, export, *LOAD_JOBS, *REPORT_JOBS],
    schedules=SCHEDULES,
    sensors=[registry_updated, alert_failures, alert_recoveries, alert_stale_data, automation, watchlist_sensor],
    resources={
        "dlt_resource": DagsterDltResource(),
        "dbt": DbtCliResource(project_dir=PROJECT, dbt_executable="dbt"),
        "warehouse": WarehouseResource(),
        "export": ExportResource(),
        "language_model": LanguageModel(),
        "pipes": PipesSubprocessClient(),
        TABLES: tables(settings()),
    },
    executor=executor(settings()),
)

if settings().branch:
    defs = branch_definitions(defs, nightly_refresh.name)
