"""Jobs beside the nightly one that load: the weekly comparison of everything, and windows of the registry."""

from dagster import AssetSelection, define_asset_job

from orchestration.assets.names import BACKFILLED, RECONCILIATION
from orchestration.assets.transform import dbt_analytics, dbt_staging

RECONCILED = AssetSelection.assets(RECONCILIATION)
WINDOWS = AssetSelection.assets(*BACKFILLED.values())
LOADED = AssetSelection.assets(
    ["raw_ctgov", "studies"], ["raw_ctgov", "rejected_studies"], ["raw_ctgov", "registry_versions"]
)

weekly_reconcile = define_asset_job(
    "weekly_reconcile",
    selection=RECONCILED | LOADED | AssetSelection.assets(*dbt_staging.keys, *dbt_analytics.keys),
    description="Read the whole registry again, load what loading by date has missed, mark what is gone, and model it. "
    "No text is read: the next refresh does.",
)
backfill_update_days = define_asset_job(
    "backfill_update_days",
    selection=AssetSelection.assets(BACKFILLED["update_day"]),
    description="Load nights that were missed, by the day of the last update. The next refresh models them.",
)
backfill_first_posted_months = define_asset_job(
    "backfill_first_posted_months",
    selection=AssetSelection.assets(BACKFILLED["first_posted_month"]),
    description="Load a registry month by month of first posting, several at once. The next refresh models them.",
)
backfill_study_types = define_asset_job(
    "backfill_study_types",
    selection=AssetSelection.assets(BACKFILLED["study_type"]),
    description="Load the studies of one type. The next refresh models them.",
)
LOAD_JOBS = [weekly_reconcile, backfill_update_days, backfill_first_posted_months, backfill_study_types]
