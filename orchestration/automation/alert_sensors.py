"""Alerts of runs that Dagster's daemon has seen end, and of data that has grown old. `notify` decides and sends."""

import os
from datetime import datetime, timedelta, timezone

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunStatusSensorContext,
    SensorEvaluationContext,
    SkipReason,
    run_status_sensor,
    sensor,
)

from orchestration.assets.names import STUDIES
from orchestration.automation.alerts import Findings, Problem
from orchestration.automation.notify import link_to, notify
from orchestration.automation.run_findings import findings
from orchestration.automation.targets import Delivery
from orchestration.settings import Settings, settings

# Whoever names targets wants to hear.
STATUS = DefaultSensorStatus.RUNNING if settings().automates or settings().alert_urls else DefaultSensorStatus.STOPPED
NO_TARGETS = "nobody to tell: BIOLOUPE_ALERT_URLS is not set"


class AlertNotTaken(Exception):
    """Some target did not take an alert; the message says which and why, without any secret."""


@run_status_sensor(
    run_status=DagsterRunStatus.FAILURE,
    name="alert_failures",
    default_status=STATUS,
    minimum_interval_seconds=30,
    description="Tells the targets of BIOLOUPE_ALERT_URLS what failed in a run and why: once for each cause.",
)
def alert_failures(context: RunStatusSensorContext) -> SkipReason | None:
    """Steps that failed, checks of severity error that failed, or how the run's process ended."""
    return _tell(context)


@run_status_sensor(
    run_status=DagsterRunStatus.SUCCESS,
    name="alert_recoveries",
    default_status=STATUS,
    minimum_interval_seconds=30,
    description="Tells once what works again, and what a run that succeeded left undone: failed checks, unread texts.",
)
def alert_recoveries(context: RunStatusSensorContext) -> SkipReason | None:
    """What was told as failed and has worked in this run."""
    return _tell(context)


@sensor(
    name="alert_stale_data",
    default_status=STATUS,
    minimum_interval_seconds=30 * 60,
    description="Tells when no load has succeeded for BIOLOUPE_STALE_HOURS: also where no run was even started.",
)
def alert_stale_data(context: SensorEvaluationContext) -> SkipReason:
    """Look at the time of the last load that succeeded, whether or not it found anything new."""
    config = settings()
    if config.alert_urls is None:
        return SkipReason(NO_TARGETS)
    event = context.instance.get_latest_materialization_event(STUDIES)
    if event is None:
        return SkipReason("nothing was ever loaded: there is nothing to grow old")
    last = datetime.fromtimestamp(event.timestamp, timezone.utc)
    topic = f"{'/'.join(STUDIES.path)}: age"
    stale = datetime.now(timezone.utc) - last > timedelta(hours=config.stale_hours)
    found = Findings([Problem(topic, f"no load has succeeded since {last:%Y-%m-%d %H:%M} UTC")] if stale else [])
    found.healthy |= set() if stale else {topic}
    _raise_undelivered(notify(config, dagster_url(), found, "runs", link_to(config, None)))
    return SkipReason(f"the last load that succeeded was at {last:%Y-%m-%d %H:%M} UTC")


def tell_of(instance: DagsterInstance, run_id: str, config: Settings) -> list[Delivery]:
    """Tell of one finished run, unless somebody has. Returns what became of it at each target."""
    run = instance.get_run_by_id(run_id)
    if run is None or config.alert_urls is None:
        return []
    about = f"run {run_id[:8]} of {run.job_name}"
    return notify(config, dagster_url(), findings(instance, run), about, link_to(config, run_id), run_id)


def dagster_url() -> str:
    """The DSN of Dagster's database, as `bioloupe` commands tell it to everything that they start."""
    return os.environ["DAGSTER_DATABASE_URL"]


def _tell(context: RunStatusSensorContext) -> SkipReason | None:
    config = settings()
    if config.alert_urls is None:
        return SkipReason(NO_TARGETS)
    _raise_undelivered(tell_of(context.instance, context.dagster_run.run_id, config))
    return None


def _raise_undelivered(deliveries: list[Delivery]) -> None:
    """Make the sensor's tick show what no target took: alerts that vanish in silence are worse than none."""
    failed = [f"{delivery.target}: {delivery.error}" for delivery in deliveries if delivery.error]
    if failed:
        raise AlertNotTaken("; ".join(failed))
