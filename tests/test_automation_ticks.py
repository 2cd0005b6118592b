"""Schedules and sensors as Dagster's daemon evaluates them; steps that refuse to build on failed checks."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunRequest,
    ScheduleEvaluationContext,
    SensorResult,
    SkipReason,
    asset,
    asset_check,
    build_schedule_context,
    build_sensor_context,
    partition_loading_context,
)

from ingest.sandbox.state import SandboxState
from orchestration.assets.guard import OVERRIDE, refuse_after_failed_checks
from orchestration.automation.partitions import WEEKS
from orchestration.automation.schedules import (
    catalysts_schedule,
    check_schedule,
    nightly_schedule,
    weekly_digest_schedule,
)
from orchestration.automation.sensors import registry_updated
from orchestration.local.sandbox import state_path
from orchestration.settings import settings
from orchestration.warehouse import query

NEW_YORK = ZoneInfo("America/New_York")
DST_CHANGES = [datetime(2026, 3, 7, 12, tzinfo=NEW_YORK), datetime(2026, 10, 31, 12, tzinfo=NEW_YORK)]


@pytest.mark.parametrize("start", DST_CHANGES)
@pytest.mark.parametrize("schedule", [nightly_schedule, check_schedule], ids=lambda schedule: str(schedule.name))
def test_each_day_has_one_tick_also_when_clocks_change(schedule: object, start: datetime) -> None:
    assert hasattr(schedule, "cron_schedule")
    from dagster._utils.schedules import schedule_execution_time_iterator

    ticks: Iterator[datetime] = schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    found = [next(ticks) for _ in range(3)]
    assert [tick.date() for tick in found] == [(start + timedelta(days=n)).date() for n in (1, 2, 3)]


def at(instance: DagsterInstance, day: str) -> ScheduleEvaluationContext:
    """A tick in the early morning of a day in New York."""
    moment = datetime.fromisoformat(f"{day}T05:45").replace(tzinfo=NEW_YORK)
    return build_schedule_context(instance=instance, scheduled_execution_time=moment)


@pytest.mark.parametrize(
    ("day", "trades"),
    [("2026-11-25", True), ("2026-11-26", False), ("2026-11-27", True), ("2026-12-25", False), ("2026-03-09", True)],
)
def test_catalysts_are_made_on_trading_days(instance: DagsterInstance, day: str, trades: bool) -> None:
    result = catalysts_schedule(at(instance, day))
    if trades:
        assert isinstance(result, RunRequest)
        assert (result.run_key, result.partition_key) == (day, day)
    else:
        assert "no trading day" in skipped(result)


# The Monday after each change of clocks, and one in between.
@pytest.mark.parametrize(
    ("monday", "week"), [("2026-03-09", "2026-03-02"), ("2026-11-02", "2026-10-26"), ("2026-06-08", "2026-06-01")]
)
def test_each_watchlist_has_a_digest_of_the_week_that_is_over(stored: DagsterInstance, monday: str, week: str) -> None:
    assert "no watchlist" in skipped(weekly_digest_schedule(at(stored, monday)))
    stored.add_dynamic_partitions("watchlists", ["sclc", "melanoma"])
    result = weekly_digest_schedule(at(stored, monday))
    assert isinstance(result, list)
    assert [request.partition_key for request in result] == [f"melanoma|{week}", f"sclc|{week}"]
    assert len({request.run_key for request in result}) == 2
    for watchlist in ("sclc", "melanoma"):
        stored.delete_dynamic_partition("watchlists", watchlist)
    with partition_loading_context(datetime.fromisoformat(f"{monday}T05:45").replace(tzinfo=NEW_YORK)):
        assert WEEKS.get_last_partition_key() == week


@pytest.fixture
def instance() -> DagsterInstance:
    return DagsterInstance.ephemeral()


@pytest.fixture(scope="module")
def stored() -> Iterator[DagsterInstance]:
    """An instance on disk: schedules open theirs anew."""
    with DagsterInstance.local_temp() as instance:
        yield instance


def tick(instance: DagsterInstance, cursor: str | None = None) -> SensorResult | SkipReason:
    result = registry_updated(build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, SensorResult | SkipReason)
    return result


def request(result: SensorResult | SkipReason) -> RunRequest:
    assert isinstance(result, SensorResult)
    (found,) = result.run_requests or ()
    return found


def skipped(result: object) -> str:
    assert isinstance(result, SkipReason)
    return result.skip_message or ""


def test_each_night_of_the_sandbox_is_refreshed_once(own_settings: None, instance: DagsterInstance) -> None:
    first = tick(instance)
    key = request(first).run_key
    assert isinstance(first, SensorResult)
    assert "begun by this sensor" in skipped(tick(instance, first.cursor))
    config = settings()
    SandboxState(config.sandbox_studies, config.sandbox_seed, night=1).save(state_path(config))
    assert request(tick(instance, first.cursor)).run_key != key


def test_a_registry_that_is_down_is_a_reason_to_skip(
    own_settings: None, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTGOV_API_URL", "http://127.0.0.1:9/api/v2")
    settings.cache_clear()
    assert skipped(tick(instance)).startswith("the registry cannot be asked: ")


def test_a_refresh_at_work_brings_the_data_itself(own_settings: None, instance: DagsterInstance) -> None:
    run = instance.add_run(DagsterRun("nightly_refresh", status=DagsterRunStatus.STARTED))
    assert run.run_id[:8] in skipped(tick(instance))


@pytest.mark.integration
def test_what_the_nightly_run_has_loaded_is_not_refreshed_again(
    own_settings: None, instance: DagsterInstance, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", warehouse_url)
    settings.cache_clear()
    served = request(tick(instance)).tags["bioloupe/registry_timestamp"]
    query(
        warehouse_url,
        "create schema raw_ctgov; create table raw_ctgov.registry_versions (data_timestamp timestamptz); "
        "insert into raw_ctgov.registry_versions values (%s) returning 1",
        (datetime.fromisoformat(served).replace(tzinfo=timezone.utc),),
    )
    assert "loaded already" in skipped(tick(instance))


STAGED, PAID = AssetKey("staged"), AssetKey("paid")


def pay(instance: DagsterInstance, tags: dict[str, str] | None = None) -> bool:
    """A run of one step alone, two steps downstream of a table with a blocking check."""

    @asset
    def staged() -> None:
        pass

    @asset(deps=[staged])
    def between() -> None:
        pass

    @asset(deps=[between])
    def paid(context: AssetExecutionContext) -> None:
        refuse_after_failed_checks(context)

    @asset_check(asset=staged, blocking=True)
    def sound() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    job = Definitions([staged, between, paid], asset_checks=[sound]).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(asset_selection=[PAID], instance=instance, tags=tags, raise_on_error=False).success


def check(instance: DagsterInstance, passed: bool, severity: AssetCheckSeverity = AssetCheckSeverity.ERROR) -> None:
    instance.report_runless_asset_event(
        AssetCheckEvaluation(asset_key=STAGED, check_name="sound", passed=passed, severity=severity)
    )


def test_a_step_alone_refuses_while_a_check_upstream_stands_failed(instance: DagsterInstance) -> None:
    assert pay(instance)
    check(instance, passed=False)
    assert not pay(instance)
    assert pay(instance, {OVERRIDE: "true"})
    check(instance, passed=True)
    assert pay(instance)


def test_a_warning_holds_nothing_back(instance: DagsterInstance) -> None:
    check(instance, passed=False, severity=AssetCheckSeverity.WARN)
    assert pay(instance)
