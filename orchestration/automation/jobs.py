"""The nightly refresh: everything from the registry to the marts, in one run. The export has a job of its own."""

from dagster import AssetSelection, ScheduleDefinition, define_asset_job, in_process_executor

from orchestration.assets.export import EXPORT

EXPORTS = AssetSelection.assets(EXPORT)

nightly_refresh = define_asset_job(
    "nightly_refresh",
    selection=AssetSelection.all() - EXPORTS,
    description="Load what changed in the registry, model it, read its free text, build the marts.",
)

# ClinicalTrials.gov is updated on weekdays in the early hours of Eastern time.
nightly_schedule = ScheduleDefinition(
    name="nightly_refresh",
    job=nightly_refresh,
    cron_schedule="0 2 * * *",
    execution_timezone="America/New_York",
)

export = define_asset_job(
    "export",
    selection=EXPORTS,
    description="Write ctgov and analytics as flat files, Parquet and a dump, check them, publish them at once.",
    # One session holds the snapshot that all of its steps read, whatever runs the other jobs' steps.
    executor_def=in_process_executor,
    # A run that crashed has lost its snapshot: going on where it was would not do.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
)
