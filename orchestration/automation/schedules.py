"""When jobs run by the clock. They start switched on in production, elsewhere off: BIOLOUPE_AUTOMATION decides."""

from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from dagster import (
    DefaultScheduleStatus,
    MultiPartitionKey,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)

from orchestration.automation.jobs import check_only, nightly_refresh
from orchestration.automation.load_jobs import weekly_reconcile
from orchestration.automation.partitioned_jobs import catalysts, weekly_digest
from orchestration.automation.partitions import TIMEZONE, WATCHLISTS
from orchestration.settings import settings
from orchestration.watch.trading_days import is_session

STATUS = DefaultScheduleStatus.RUNNING if settings().automates else DefaultScheduleStatus.STOPPED
_in_new_york = partial(ScheduleDefinition, execution_timezone=TIMEZONE, default_status=STATUS)

# ClinicalTrials.gov is updated on weekdays in the early hours of Eastern time.
nightly_schedule = _in_new_york(
    name="nightly_refresh",
    job=nightly_refresh,
    cron_schedule="0 2 * * *",
    description="The refresh, every night at 02:00 in New York.",
)

# By then the refresh is over, and nobody has looked at the numbers yet.
check_schedule = _in_new_york(
    name="check_only",
    job=check_only,
    cron_schedule="0 6 * * *",
    description="All checks, every morning at 06:00 in New York, against the tables as they stand.",
)

# It reads the whole registry: on the day on which nobody waits for it. Behind a refresh it queues, by its pools.
reconcile_schedule = _in_new_york(
    name="weekly_reconcile",
    job=weekly_reconcile,
    cron_schedule="0 4 * * 0",
    description="The whole registry compared with what is here, on Sundays at 04:00 in New York.",
)


@schedule(
    name="catalysts",
    job=catalysts,
    cron_schedule="30 5 * * 1-5",
    execution_timezone=TIMEZONE,
    default_status=STATUS,
    description="What falls due today, before the exchange opens: each trading day once, at 05:30 in New York.",
)
def catalysts_schedule(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """Run key and partition are the day. Dagster's own schedule of a partitioned job asks on holidays too."""
    today = _today(context)
    if not is_session(today):
        return SkipReason(f"{today} is no trading day of the New York Stock Exchange")
    return RunRequest(run_key=today.isoformat(), partition_key=today.isoformat())


@schedule(
    name="weekly_digest",
    job=weekly_digest,
    cron_schedule="45 5 * * 1",
    execution_timezone=TIMEZONE,
    default_status=STATUS,
    description="Last week's digest of each watchlist, on Mondays at 05:45 in New York.",
)
def weekly_digest_schedule(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
    """One run for each watchlist. Run key and partition are the watchlist and the week that is over."""
    week = (_today(context) - timedelta(weeks=1)).isoformat()
    watchlists = context.instance.get_dynamic_partitions(WATCHLISTS.name or "")
    if not watchlists:
        return SkipReason("there is no watchlist: `bioloupe watch add` makes one")
    keys = [MultiPartitionKey({"watchlist": watchlist, "week": week}) for watchlist in sorted(watchlists)]
    return [RunRequest(run_key=str(key), partition_key=key) for key in keys]


def _today(context: ScheduleEvaluationContext) -> date:
    return context.scheduled_execution_time.astimezone(ZoneInfo(TIMEZONE)).date()


SCHEDULES = [nightly_schedule, check_schedule, reconcile_schedule, catalysts_schedule, weekly_digest_schedule]
