"""When jobs run by the clock. They start switched on in production, elsewhere off: BIOLOUPE_AUTOMATION decides."""

from dagster import DefaultScheduleStatus, ScheduleDefinition

from orchestration.automation.jobs import check_only, nightly_refresh
from orchestration.automation.partitions import TIMEZONE
from orchestration.settings import settings

STATUS = DefaultScheduleStatus.RUNNING if settings().automates else DefaultScheduleStatus.STOPPED

# ClinicalTrials.gov is updated on weekdays in the early hours of Eastern time.
nightly_schedule = ScheduleDefinition(
    name="nightly_refresh",
    job=nightly_refresh,
    cron_schedule="0 2 * * *",
    execution_timezone=TIMEZONE,
    default_status=STATUS,
    description="The refresh, every night at 02:00 in New York.",
)

# By then the refresh is over, and nobody has looked at the numbers yet.
check_schedule = ScheduleDefinition(
    name="check_only",
    job=check_only,
    cron_schedule="0 6 * * *",
    execution_timezone=TIMEZONE,
    default_status=STATUS,
    description="All checks, every morning at 06:00 in New York, against the tables as they stand.",
)

SCHEDULES = [nightly_schedule, check_schedule]
