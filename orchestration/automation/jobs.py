"""The nightly refresh: everything from the registry to the marts, in one run."""

from dagster import AssetSelection, ScheduleDefinition, define_asset_job

nightly_refresh = define_asset_job(
    "nightly_refresh",
    selection=AssetSelection.all(),
    description="Load what changed in the registry, model it, read its free text, build the marts.",
)

# ClinicalTrials.gov is updated on weekdays in the early hours of Eastern time.
nightly_schedule = ScheduleDefinition(
    name="nightly_refresh",
    job=nightly_refresh,
    cron_schedule="0 2 * * *",
    execution_timezone="America/New_York",
)
