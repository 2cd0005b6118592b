"""What `bioloupe backfill` and `bioloupe reconcile` show: a live line per step, then what was loaded."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration import progress, run_queue
from orchestration.assets.names import BACKFILLED, RECONCILIATION
from orchestration.automation.partitions import FIRST_POSTED_MONTHS, STUDY_TYPES, UPDATE_DAYS
from orchestration.commands.refresh_report import Outcome
from orchestration.commands.refresh_view import Lines
from orchestration.failures import reason
from orchestration.nightly import RefreshRunning, create_run, events
from orchestration.runtime import activate, heed_signals

# --by → partitions, kind of window, job.
BY = {
    "day": (UPDATE_DAYS, "update_day", "backfill_update_days"),
    "month": (FIRST_POSTED_MONTHS, "first_posted_month", "backfill_first_posted_months"),
    "type": (STUDY_TYPES, "study_type", "backfill_study_types"),
}
STEPS = {
    RECONCILIATION.to_python_identifier(): "compare",
    "load_clinicaltrials_gov": "load",
    "dbt_staging": "staging",
    "dbt_analytics": "analytics",
    **{key.to_python_identifier(): "windows" for key in BACKFILLED.values()},
}
COMPARED = ("missed_new", "missed_changes", "silent_changes", "not_due", "gone", "returned", "held_back")
LOADED = ("missed_new", "missed_changes", "silent_changes", "not_due", "returned")


def windows(by: str, first: date | None, last: date | None, types: Sequence[str]) -> list[str] | None:
    """The partition keys that are asked for; None where there are none."""
    keys = BY[by][0].get_partition_keys()
    if by == "type":
        return [key for key in keys if not types or key in types]
    low = (first or date.min).replace(day=1) if by == "month" else first or date.min
    return [key for key in keys if low <= date.fromisoformat(key) <= (last or date.max)] or None


def show_backfill(console: Console, by: str, keys: Sequence[str], log: Path) -> bool:
    """Load the windows and draw it. Returns whether all were loaded."""
    _, kind, job = BY[by]
    span = keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
    console.print(f"[bold]bioloupe backfill[/]  {len(keys):,} windows of {kind}: {span}\n")
    # A range names neighbours; types that are no neighbours are loaded one after the other.
    ranges = [(keys[0], keys[-1])] if by != "type" else [(key, key) for key in keys]
    for start, end in ranges:
        tags = {ASSET_PARTITION_RANGE_START_TAG: start, ASSET_PARTITION_RANGE_END_TAG: end}
        outcome = _run(console, job, None, tags, log)
        if outcome is None:
            return False
        found = outcome.materialized["/".join(BACKFILLED[kind].path)]
        console.print(_loaded(found, f"{start} to {end}" if start != end else start))
    console.print(
        "\nLook next\n  bioloupe refresh                 models what was loaded (dbt alone: dbt build)\n"
        "  bioloupe ui                      the partitions and what each held"
    )
    return True


def show_reconcile(console: Console, most_gone: float, log: Path) -> bool:
    """Compare, model and draw it. Returns whether all of it succeeded."""
    console.print("[bold]bioloupe reconcile[/]  the whole registry against the warehouse\n")
    config = {"ops": {RECONCILIATION.to_python_identifier(): {"config": {"most_gone": most_gone}}}}
    outcome = _run(console, "weekly_reconcile", config, None, log)
    if outcome is None:
        return False
    found = outcome.materialized["/".join(RECONCILIATION.path)]
    console.print("\n[italic]What the comparison found[/]")
    console.print(_compared(found))
    if found["note"]:
        console.print(f"[yellow]{escape(found['note'])}[/]")
    console.print(
        "\nLook next\n  bioloupe ui                      asset raw_ctgov/reconciliation: examples of each\n"
        '  psql "$(bioloupe db url)"        select * from raw_ctgov.reconciliations order by began_at desc'
    )
    return True


def _run(
    console: Console, job: str, config: Mapping[str, Any] | None, tags: Mapping[str, str] | None, log: Path
) -> Outcome | None:
    """Run a job and draw it; None where it did not succeed, which is said."""
    began = time.monotonic()
    heed_signals()
    dagster_url = activate().dagster_url
    with DagsterInstance.get() as instance:
        run_queue.settle(instance)
        try:
            run = create_run(instance, dagster_url, job, config, tags)
        except RefreshRunning as error:
            console.print(f"[red]not started:[/] {escape(str(error))}")
            return None
        outcome = _follow(console, events(run, instance))
    console.print(f"\n{job}: {time.monotonic() - began:,.0f} s, run {run.run_id[:8]}")
    if outcome.succeeded:
        return outcome
    for step, why in outcome.failures.items():
        console.print(f"[red]{STEPS.get(step, step)} failed:[/] {escape(why)}")
    for name in outcome.failed_checks:
        console.print(f"[red]check failed:[/] {escape(name)}")
    console.print(f"What was committed is kept: mend the cause, run it again.\n\nThe whole log: {log}")
    return None


def _follow(console: Console, stream: Iterator[DagsterEvent]) -> Outcome:
    outcome, current, last = Outcome(), "", ""
    with Lines(console, STEPS) as lines:

        def move(report: progress.Progress) -> None:
            nonlocal last
            last = f"{report.done:,} {report.unit}"
            lines.move(current, report.done, report.total, str(report))

        progress.watch(move)
        for event in stream:
            outcome.add(event)
            step = event.step_key or ""
            if event.event_type == DagsterEventType.STEP_START and step in STEPS:
                current, last = step, ""
                lines.begin(step)
            elif event.event_type in (DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE):
                lines.end(step, last, event.event_type == DagsterEventType.STEP_FAILURE)
            elif event.event_type == DagsterEventType.STEP_UP_FOR_RETRY:
                lines.move(step, 0, None, "waits, then tries again: " + escape(reason(event)))
    return outcome


def _compared(found: Mapping[str, Any]) -> Table:
    """What differed, by kind; a comparison that ended has loaded all of it but what is gone or held back."""
    table = Table(show_header=False, box=None)
    for name in COMPARED:
        table.add_row(name.replace("_", " "), f"{found[name]:,}")
    if loaded := sum(found[name] for name in LOADED):
        table.add_row("loaded", f"{loaded:,}")
    return table


def _loaded(found: Mapping[str, Any], span: str) -> str:
    return (
        f"{span}: {found['studies_new']:,} new, {found['studies_changed']:,} changed, "
        f"{found['studies_unchanged']:,} unchanged, {found['studies_rejected']:,} rejected, "
        f"{found['studies_per_second']:,.0f} studies/s"
    )
