"""What `bioloupe refresh` shows: a live line per step, then what changed and where to look."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from orchestration import progress, run_queue
from orchestration.automation.alert_sensors import tell_of
from orchestration.commands.refresh_report import STEPS, Outcome, conclude, note
from orchestration.failures import reason
from orchestration.nightly import RefreshRunning, create_run, events
from orchestration.runtime import activate, heed_signals
from orchestration.settings import ConfigurationError, Settings

LOOK_EVERY_SECONDS = 2.0


def run_and_show(console: Console, config: Settings, log: Path, wait: bool) -> bool:
    """Run the nightly job and draw it. Returns whether it succeeded. `wait`: until other writers are done."""
    began = time.monotonic()
    heed_signals()
    dagster_url = activate().dagster_url
    _introduce(console, config)
    console.print("Dagster takes some seconds to load.")
    with DagsterInstance.get() as instance:
        for dead in run_queue.settle(instance):
            _alert(console, instance, dead, config)
        run = _take_turn(console, instance, dagster_url, wait)
        if run is None:
            return False
        outcome = _follow(console, events(run, instance))
        _alert(console, instance, run, config)
    conclude(console, outcome, time.monotonic() - began, run.run_id)
    if not outcome.succeeded:
        console.print(f"\nThe whole log: {log}")
    return outcome.succeeded


def _take_turn(console: Console, instance: DagsterInstance, dagster_url: str, wait: bool) -> DagsterRun | None:
    """The run, as soon as no other holds what it writes; None where it may not wait for that."""
    told = ""
    while True:
        try:
            return create_run(instance, dagster_url)
        except RefreshRunning as error:
            if not wait:
                console.print(f"[red]not started:[/] {escape(str(error))}")
                return None
            if str(error) != told:
                told = str(error)
                console.print(f"waits: {escape(told)}. To end that: `bioloupe ui`, Runs, Terminate")
        time.sleep(LOOK_EVERY_SECONDS)
        run_queue.settle(instance)


def _alert(console: Console, instance: DagsterInstance, run: DagsterRun, config: Settings) -> None:
    """Tell whoever wants to hear; a target that is down is a line here, and no reason to fail."""
    try:
        deliveries = tell_of(instance, run.run_id, config)
    except ConfigurationError as error:
        console.print(f"[yellow]no alert sent:[/] {escape(str(error))}")
        return
    for delivery in deliveries:
        if delivery.error:
            console.print(f"[yellow]alert not taken by target {delivery.target}:[/] {escape(delivery.error)}")


def _introduce(console: Console, config: Settings) -> None:
    database = f"embedded Postgres, port {config.db_port}" if config.uses_embedded_database else "DATABASE_URL"
    if config.branch:
        console.print(f"[bold]bioloupe refresh[/] of the branch {config.branch}\n  database  {database}\n")
        return
    if config.uses_sandbox:
        source = f"synthetic registry, {config.sandbox_studies:,} studies (BIOLOUPE_SOURCES=live for the public one)"
    else:
        source = config.api_url
    if config.llm == "off":
        model = "off (BIOLOUPE_LLM=off): free text stays unread"
    elif config.uses_embedded_llm:
        model = "embedded, Qwen2.5-Coder-1.5B-Instruct"
    else:
        from orchestration.local.language_model import configured_model

        model = f"{configured_model(config).name} at {config.openai_base_url or 'api.openai.com'}"
    console.print(f"[bold]bioloupe refresh[/]\n  database  {database}\n  registry  {source}\n  reader    {model}\n")


class Lines:
    """One live line per step; where there is no terminal, a line when something begins, moves or ends.

    `names` are what a person calls the steps.
    """

    def __init__(self, console: Console, names: Mapping[str, str] = STEPS):
        self._console, self._names = console, names
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            # What others print goes to the log; rich would fetch it back onto the terminal.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._moved: set[str] = set()
        self._printed = 0.0

    def __enter__(self) -> "Lines":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, step: str) -> None:
        self._tasks[step] = self._bars.add_task(self._name(step), total=None, note="")
        self._plain(f"{self._name(step)}  begins", always=True)

    def move(self, step: str, done: int, total: int | None, text: str) -> None:
        if step in self._tasks:
            self._bars.update(self._tasks[step], completed=done, total=total, note=text)
            self._plain(f"{self._name(step)}  {text}", always=step not in self._moved)
            self._moved.add(step)

    def end(self, step: str, text: str, failed: bool = False) -> None:
        if step in self._tasks:
            mark = "[red]failed[/] " if failed else ""
            text = text or ("" if failed else "done")
            self._bars.update(self._tasks[step], total=1, completed=0 if failed else 1, note=mark + text)
            self._bars.stop_task(self._tasks[step])
            self._plain(f"{self._name(step)}  {mark}{text}", always=True)

    def _name(self, step: str) -> str:
        return self._names.get(step, step).ljust(max(map(len, self._names.values())))

    def _plain(self, line: str, always: bool = False) -> None:
        now = time.monotonic()
        if not self._console.is_terminal and (always or now - self._printed > 5):
            self._printed = now
            self._console.print(line)


def _follow(console: Console, stream: Iterator[DagsterEvent]) -> Outcome:
    outcome = Outcome()
    began: dict[str, float] = {}
    current = ""
    with Lines(console) as lines:
        progress.watch(lambda p: lines.move(current, p.done, p.total, str(p)))
        for event in stream:
            outcome.add(event)
            step = event.step_key or ""
            if event.event_type == DagsterEventType.STEP_START:
                current, began[step] = step, time.monotonic()
                lines.begin(step)
            elif event.event_type == DagsterEventType.ASSET_MATERIALIZATION and step.startswith("dbt_"):
                lines.move(step, 0, None, note(step, outcome))
            elif event.event_type in (DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE):
                outcome.seconds[step] = time.monotonic() - began.get(step, time.monotonic())
                failed = event.event_type == DagsterEventType.STEP_FAILURE
                lines.end(step, note(step, outcome), failed)
            elif event.event_type == DagsterEventType.STEP_UP_FOR_RETRY:
                lines.move(step, 0, None, "waits, then tries again: " + escape(reason(event)))
    return outcome
