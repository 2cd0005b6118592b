"""What `bioloupe export` shows: a live line per step, then what was published and how to read it."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from rich.console import Console
from rich.markup import escape

from orchestration import progress, run_queue
from orchestration.assets.export import EXPORT
from orchestration.commands.refresh_report import Outcome
from orchestration.commands.refresh_view import Lines
from orchestration.export.manifest import Manifest, read_manifest
from orchestration.failures import reason
from orchestration.nightly import RefreshRunning, create_run, events
from orchestration.runtime import activate, heed_signals
from orchestration.settings import Settings
from orchestration.wording import counted

GRAPH = EXPORT.to_python_identifier()
STEPS = {
    "take_snapshot": "snapshot",
    "write_dump": "dump",
    "write_flat_files": "flat files",
    "write_parquet": "Parquet",
    "check_files": "check",
    "publish_files": "publish",
}


def run_and_show(console: Console, config: Settings, asked: Mapping[str, Any], log: Path) -> bool:
    """Run the job `export` and draw it. Returns whether an export was published."""
    began = time.monotonic()
    heed_signals()
    dagster_url = activate().dagster_url
    console.print(f"[bold]bioloupe export[/]  {', '.join(asked['formats'])}  to {asked.get('to') or config.exports}\n")
    ops = {"ops": {GRAPH: {"ops": {"take_snapshot": {"config": dict(asked)}}}}}
    with DagsterInstance.get() as instance:
        run_queue.settle(instance)
        try:
            run = create_run(instance, dagster_url, "export", ops)
        except RefreshRunning as error:
            console.print(f"[red]not started:[/] {error}")
            return False
        outcome = _follow(console, events(run, instance))
    if outcome.succeeded:
        path = Path(outcome.materialized["/".join(EXPORT.path)]["path"])
        _conclude(console, path, read_manifest(path), time.monotonic() - began)
    else:
        for step, why in outcome.failures.items():
            console.print(f"\n[red]{STEPS[_short(step)]} failed:[/] {escape(why)}")
        console.print(f"[red]Nothing was published;[/] what was is as it was.\n\nThe whole log: {log}")
    return outcome.succeeded


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
            step = _short(event.step_key or "")
            if event.event_type == DagsterEventType.STEP_START:
                current, last = step, ""
                lines.begin(step)
            elif event.event_type == DagsterEventType.STEP_SUCCESS:
                lines.end(step, last)
            elif event.event_type == DagsterEventType.STEP_FAILURE:
                lines.end(step, last, failed=True)
            elif event.event_type == DagsterEventType.STEP_UP_FOR_RETRY:
                lines.move(step, 0, None, "waits, then tries again: " + escape(reason(event)))
    return outcome


def _short(step: str) -> str:
    return step.removeprefix(f"{GRAPH}.")


def _conclude(console: Console, path: Path, manifest: Manifest, seconds: float) -> None:
    """Print what was published, and a line for each way to read it."""
    latest = path.parent / "latest"
    console.print(
        f"\nPublished in {seconds:.0f} s: {counted(len(manifest.tables), 'table')}, "
        f"{sum(manifest.rows.values()):,} rows, of the registry's {manifest.registry_timestamp or 'unknown'} data\n"
        f"  {path}\n  {latest} points to it"
    )
    for kind in dict.fromkeys(file.format for file in manifest.files):
        files = [file for file in manifest.files if file.format == kind]
        noun = "file " if len(files) == 1 else "files"
        console.print(f"  {kind:8} {len(files):4} {noun}  {sum(file.bytes for file in files) / 1e6:10,.1f} MB")
    console.print("\nLook next\n  bioloupe export verify           read it all again, compare it with manifest.json")
    for file in {file.format: file for file in manifest.files}.values():
        console.print(f"  {_reading(file.format, latest / file.path)}", soft_wrap=True)


def _reading(kind: str, path: Path) -> str:
    if kind == "flat":
        return f"unzip -l {path}"
    if kind == "parquet":
        return f"python -c \"import polars as pl; print(pl.read_parquet('{path}'))\""
    return f"pg_restore --no-owner --dbname=URL {path}"
