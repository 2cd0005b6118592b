"""A refresh as soon as the registry has new data, without waiting for the night."""

from datetime import datetime

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from orchestration.automation.jobs import nightly_refresh
from orchestration.settings import Settings, settings

MINUTES = 15
TIMESTAMP_TAG = "bioloupe/registry_timestamp"
STATUS = DefaultSensorStatus.RUNNING if settings().automates else DefaultSensorStatus.STOPPED


@sensor(
    name="registry_updated",
    job=nightly_refresh,
    minimum_interval_seconds=60 * MINUTES,
    default_status=STATUS,
    description=f"Asks the registry every {MINUTES} minutes for the time of its data and refreshes when that is new "
    "here. A time is refreshed once: by this sensor, by the nightly schedule or by hand, whoever comes first.",
)
def registry_updated(context: SensorEvaluationContext) -> SensorResult | SkipReason:
    """Cursor and run key are the registry and its dataTimestamp: a failed refresh is not started again for it."""
    # Imported here: the registry's client and the sandbox take longer to load than the rest of this module.
    from orchestration.automation.registry_clock import RegistryDown, served

    config = settings()
    try:
        now_served = served(config)
    except RegistryDown as error:
        return SkipReason(f"the registry cannot be asked: {error}")
    if now_served is None:
        return SkipReason(f"{config.api_url} tells no dataTimestamp: the nightly schedule refreshes from it")
    key = f"{_registry(config)} {now_served}"
    if key == context.cursor:
        return SkipReason(f"a refresh for the registry's data of {now_served} was begun by this sensor before")
    if _is_here(config, now_served):
        return SkipReason(f"the registry's data of {now_served} is loaded already")
    if (run := _at_work(context.instance)) is not None:
        return SkipReason(f"run {run[:8]} is refreshing or waits to: it will bring the data of {now_served}")
    return SensorResult(run_requests=[RunRequest(run_key=key, tags={TIMESTAMP_TAG: now_served})], cursor=key)


def _registry(config: Settings) -> str:
    """A name under which a registry's times are its own: two synthetic registries tell the same ones."""
    if config.uses_sandbox:
        return f"sandbox of {config.sandbox_studies} studies, seed {config.sandbox_seed}"
    return config.api_url


def _is_here(config: Settings, timestamp: str) -> bool:
    """Whether a finished load has brought the data of this time, or later data."""
    from orchestration.automation.registry_clock import loaded

    newest = loaded(config.database_url.get_secret_value()) if config.database_url else None
    return newest is not None and datetime.fromisoformat(newest) >= datetime.fromisoformat(timestamp)


def _at_work(instance: DagsterInstance) -> str | None:
    """The id of a refresh that has not ended."""
    unfinished = RunsFilter(job_name=nightly_refresh.name, statuses=NOT_FINISHED_STATUSES)
    return next((run.run_id for run in instance.get_runs(unfinished, limit=1)), None)
