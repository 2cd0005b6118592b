"""What one nightly run did, read from its events, and the tables that say so."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckSeverity, DagsterEvent, DagsterEventType
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.failures import reason
from orchestration.wording import counted

# First part of an asset key → the layer that a person knows.
LAYERS = {
    "raw_ctgov": "raw",
    "ctgov": "staging",
    "intermediate": "intermediate",
    "enrichment": "enrichment",
    "analytics": "analytics",
}
STEPS = {
    "load_clinicaltrials_gov": "load",
    "dbt_staging": "staging",
    "enrich_stop_reasons": "read",
    "dbt_analytics": "analytics",
    "source_freshness": "look at age",
    "staging_recency": "look at lag",
    "raw_checks": "look at raw",
    "raw_ctgov__studies_known_fields": "look at fields",
    "staging_checks": "look at staging",
    "enrichment_checks": "look at answers",
    "mart_checks": "look at marts",
    "brief_tables": "ask for brief",
    "reports__brief": "draw brief",
}
MODELS_OF = {"dbt_staging": {"ctgov", "intermediate"}, "dbt_analytics": {"analytics"}, "brief_tables": {"reports"}}
BRIEF = "reports/brief"
LOAD, READ = "raw_ctgov/studies", "enrichment/stop_reasons"


@dataclass
class Outcome:
    """What the events of one run said."""

    materialized: dict[str, dict[str, Any]] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    failed_checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    succeeded: bool = False

    def add(self, event: DagsterEvent) -> None:
        if event.event_type == DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            values = {name: value.value for name, value in materialization.metadata.items()}
            self.materialized["/".join(materialization.asset_key.path)] = values
        elif event.event_type == DagsterEventType.ASSET_OBSERVATION:
            # What was left out is told by an observation: nothing was made.
            observation = event.asset_observation_data.asset_observation
            if "skipped" in observation.metadata:
                key = "/".join(observation.asset_key.path)
                self.materialized[key] = {"skipped": observation.metadata["skipped"].value}
        elif event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.passed:
                self.passed[event.step_key or ""] += 1
            else:
                told = f"{'/'.join(check.asset_key.path)}: {check.check_name}"
                told += f": {check.description}" if check.description else ""
                (self.warnings if check.severity == AssetCheckSeverity.WARN else self.failed_checks).append(told)
        elif event.event_type == DagsterEventType.STEP_FAILURE and event.step_key:
            self.failures[event.step_key] = reason(event)
        elif event.event_type == DagsterEventType.RUN_SUCCESS:
            self.succeeded = True


def note(step: str, outcome: Outcome) -> str:
    """One line on what a step has done so far."""
    if step == "load_clinicaltrials_gov":
        return _loaded(outcome.materialized.get(LOAD, {}))
    if step == "enrich_stop_reasons":
        return _read(outcome.materialized.get(READ, {}))
    if step == "reports__brief":
        return _drawn(outcome.materialized.get(BRIEF, {}))
    tables = [key for key in outcome.materialized if key.split("/")[0] in MODELS_OF.get(step, ())]
    parts = [f"tables {len(tables)}"] if step in MODELS_OF else []
    parts += [f"checks passed {outcome.passed[step]}"] if outcome.passed[step] else []
    return ", ".join(parts)


def _drawn(values: dict[str, Any]) -> str:
    if "skipped" in values:
        return f"skipped: {values['skipped']}"
    return str(values.get("latest", ""))


def _loaded(values: dict[str, Any]) -> str:
    if not values:
        return ""
    if values["nothing_to_do"]:
        return f"nothing to do: the registry still stands at {values['registry_timestamp']}"
    return (
        f"{values['studies_new']:,} new, {values['studies_changed']:,} changed, {values['studies_gone']:,} gone, "
        f"{values['studies_rejected']:,} rejected"
    )


def _read(values: dict[str, Any]) -> str:
    if not values:
        return ""
    if "skipped" in values:
        return str(values["skipped"])
    by = f"{values['answered_by_rule']:,} by rule, {values['answered_by_model']:,} by model"
    left = f", {values['unread']:,} left for the next refresh" if values["unread"] else ""
    why = f" ({values['stopped']})" if "stopped" in values else ""
    return f"{by}, {values['failed']:,} failed{left}{why}"


def conclude(console: Console, outcome: Outcome, seconds: float, run_id: str) -> None:
    """Print what changed, what failed and where to look next."""
    console.print()
    console.print(_summary(outcome, seconds))
    for step, why in outcome.failures.items():
        console.print(f"[red]{STEPS.get(step, step)} failed:[/] {escape(why)}")
    for name in outcome.failed_checks:
        console.print(f"[red]check failed:[/] {escape(name)}")
    for name in outcome.warnings:
        console.print(f"[yellow]warning:[/] {escape(name)}")
    read = outcome.materialized.get(READ, {})
    if read.get("unread") and "stopped" in read:
        console.print(f"[yellow]warning:[/] {read['unread']:,} texts stay unread: {escape(read['stopped'])}")
    if not outcome.succeeded:
        console.print(
            "[red]The refresh did not finish.[/] What was loaded and read is kept: mend the cause, run it again."
        )
    console.print(
        f"\nLook next\n"
        f"  bioloupe ui                      lineage, checks and this run ({run_id[:8]}) in the browser\n"
        f"  bioloupe status                  freshness, row counts, last runs"
    )
    if outcome.succeeded:
        query = "select stop_reason, count(*) from analytics.fct_stopped_trials group by 1"
        console.print(f'  psql "$(bioloupe db url)"        {query}')


def _summary(outcome: Outcome, seconds: float) -> Table:
    table = Table(title="What changed", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    load, read = outcome.materialized.get(LOAD, {}), outcome.materialized.get(READ, {})
    table.add_row("studies", _loaded(load) or "not loaded")
    for layer, rows in _rows_by_layer(outcome).items():
        table.add_row(f"rows in {layer}", f"{rows:,}")
    told = f"{outcome.passed.total():,} passed, {len(outcome.failed_checks):,} failed"
    warned = len(outcome.warnings)
    table.add_row("checks", told + (f", {counted(warned, 'warning')}" if warned else ""))
    table.add_row("free text", _read(read) or "not read")
    if "calls" in read:
        tokens = f"{read['prompt_tokens']:,} tokens in, {read['completion_tokens']:,} out"
        cost = f"${read['cost_usd']:.4f}" if "cost_usd" in read else "price not known"
        table.add_row("model calls", f"{read['calls']:,} ({tokens}, {cost})")
    steps = ", ".join(f"{STEPS.get(step, step)} {took:.0f}" for step, took in outcome.seconds.items())
    table.add_row("seconds", f"{seconds:.0f}" + (f" ({steps})" if steps else ""))
    return table


def _rows_by_layer(outcome: Outcome) -> dict[str, int]:
    """The layers' rows in the order of LAYERS, whichever was built first."""
    rows: dict[str, int] = {}
    for key, values in outcome.materialized.items():
        layer = LAYERS.get(key.split("/")[0])
        if layer and "dagster/row_count" in values:
            rows[layer] = rows.get(layer, 0) + int(values["dagster/row_count"])
    return {layer: rows[layer] for layer in LAYERS.values() if layer in rows}
