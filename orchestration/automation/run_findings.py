"""What a finished run has shown, read from its events: what failed, and what was seen to work."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dagster import AssetCheckSeverity, AssetKey, DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun
from dagster import DagsterRunStatus as Status

from orchestration.automation.alerts import Findings, Problem
from orchestration.failures import reason, root_cause

_PARTITION, _BACKFILL, _WILL_RETRY = "dagster/partition", "dagster/backfill", "dagster/will_retry"
_TOLD_BY = {
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.RUN_FAILURE,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SUCCESS,
}


def findings(instance: DagsterInstance, run: DagsterRun) -> Findings:
    """What to tell of a run. Nothing of one that was cancelled, or that Dagster is about to start once more."""
    found = Findings()
    if run.status == Status.CANCELED or run.tags.get(_WILL_RETRY) == "true":
        return found
    events = [e.dagster_event for e in instance.all_logs(run.run_id, of_type=_TOLD_BY) if e.dagster_event]
    planned, failed = _planned(events), _failed_checks(events)
    for event in events:
        for topic, problem in _told_by(event, run, planned, failed):
            if problem is None:
                found.healthy.add(topic)
            else:
                found.problems.append(Problem(topic, problem))
    job = f"job {run.job_name}{_suffix(run)}"
    if run.status == Status.FAILURE and not found.problems:
        found.problems.append(Problem(job, _how_it_ended(events)))
    elif run.status == Status.SUCCESS:
        found.healthy.add(job)
    return found


def _told_by(
    event: DagsterEvent, run: DagsterRun, planned: Mapping[str, list[AssetKey]], failed_checks: Mapping[str, int]
) -> Iterator[tuple[str, str | None]]:
    """Topics, each with why it fails, or None where the event shows that it works."""
    kind = event.event_type
    if kind == DagsterEventType.STEP_FAILURE:
        checks = failed_checks.get(event.step_key or "", 0)
        yield _step(event, planned) + _suffix(run), f"checks failed: {checks}" if checks else reason(event)
    elif kind == DagsterEventType.STEP_SUCCESS:
        yield _step(event, planned) + _partition(run), None
    elif kind == DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        topic = f"check {'/'.join(check.asset_key.path)}: {check.check_name}"
        if check.passed:
            yield topic, None
        elif _is_failed_check(event):
            yield topic, check.description or _status(check.metadata) or "failed"
    elif kind == DagsterEventType.ASSET_MATERIALIZATION:
        yield from _unread(event)


def _unread(event: DagsterEvent) -> Iterator[tuple[str, str | None]]:
    """Texts that a language model was not asked about: a run that succeeds has them too."""
    materialization = event.step_materialization_data.materialization
    values = {name: value.value for name, value in materialization.metadata.items()}
    if "unread" not in values:
        return
    topic = f"{'/'.join(materialization.asset_key.path)}: reading"
    if not values["unread"]:
        yield topic, None
    else:
        why = values.get("stopped") or f"the budget of calls is spent ({values.get('calls', 0)} were made)"
        yield topic, f"{values['unread']:,} texts stay unread: {why}"


def _failed_checks(events: Iterable[DagsterEvent]) -> Counter[str]:
    """How many checks of severity error failed in each step: the reason why a step of dbt fails."""
    return Counter(event.step_key or "" for event in events if _is_failed_check(event))


def _is_failed_check(event: DagsterEvent) -> bool:
    if event.event_type != DagsterEventType.ASSET_CHECK_EVALUATION:
        return False
    check = event.asset_check_evaluation_data
    return not check.passed and check.severity == AssetCheckSeverity.ERROR


def _planned(events: Iterable[DagsterEvent]) -> dict[str, list[AssetKey]]:
    """The assets that each step was to make."""
    planned = defaultdict(list)
    for event in events:
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key:
            planned[event.step_key or ""].append(event.asset_key)
    return planned


def _step(event: DagsterEvent, planned: Mapping[str, list[AssetKey]]) -> str:
    """A step that makes one asset goes by the asset's name."""
    step = event.step_key or "a step"
    assets = planned.get(step, [])
    return "/".join(assets[0].path) if len(assets) == 1 else step


def _partition(run: DagsterRun) -> str:
    return f" [{run.tags[_PARTITION]}]" if _PARTITION in run.tags else ""


def _suffix(run: DagsterRun) -> str:
    """The partition, or the backfill, whose hundred partitions may all fail for one reason."""
    return f" in backfill {run.tags[_BACKFILL]}" if _BACKFILL in run.tags else _partition(run)


def _status(metadata: Mapping[str, Any]) -> str:
    """What dbt says of a failed test: how many rows."""
    rows = metadata.get("dagster_dbt/failed_row_count")
    return f"rows that fail: {rows.value:,}" if rows is not None and rows.value is not None else ""


def _how_it_ended(events: Iterable[DagsterEvent]) -> str:
    """Why a run failed of which no step did: its process was killed, or it took too long."""
    for event in events:
        if event.event_type == DagsterEventType.RUN_FAILURE:
            # A run that somebody else ended, because its process had died, carries words and no data.
            error = event.job_failure_data.error if event.event_specific_data else None
            return root_cause(error) if error else event.message or "it ended without a word"
    return "it ended without a word"
