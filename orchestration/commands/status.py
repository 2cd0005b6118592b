"""`bioloupe status`: how fresh, how much, and how the last runs ended."""

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dagster import RunRecord

    from orchestration.settings import Settings


@click.command()
@click.option("--runs", default=5, show_default=True, help="How many of the last runs to list.")
def status(runs: int) -> None:
    """Print freshness, row counts and the last runs."""
    from rich.console import Console

    from orchestration.runtime import activate
    from orchestration.settings import settings

    warehouse = activate()
    console = Console(highlight=False)
    _freshness(console, warehouse.url, settings())
    _tables(console, warehouse.url, settings())
    _runs(console, runs)


FRESHNESS = """
select data_timestamp, observed_at from raw_ctgov.registry_versions order by observed_at desc limit 1
"""
UNREAD = """
select count(*) from {texts} texts
where not exists (select from enrichment.stop_reasons answers where answers.text_hash = texts.text_hash)
"""
# The server's running estimates: exact counts of every table would take minutes on a whole registry. dlt's own
# tables begin with an underscore.
TABLES = """
select schemaname, count(*), sum(greatest(n_live_tup, reltuples, 0))::bigint, sum(pg_total_relation_size(relid))::bigint
from pg_stat_user_tables join pg_class on pg_class.oid = relid
where schemaname = any(%s) and not starts_with(pg_stat_user_tables.relname, '_') group by 1
"""


def _freshness(console: Any, url: str, config: "Settings") -> None:
    from orchestration.warehouse import query

    rows = query(url, FRESHNESS) if _exists(url, "raw_ctgov.registry_versions") else []
    if not rows:
        console.print("nothing loaded yet: run [bold]bioloupe refresh[/]")
        return
    stamp, observed = rows[0]
    console.print(f"registry   as of {stamp}, loaded {_ago(observed)}")
    texts = f"{config.schema_of('intermediate')}.int_stop_reason_texts"
    if _exists(url, texts):
        console.print(f"free text  {_unread(url, texts, config)}")


def _unread(url: str, texts: str, config: "Settings") -> str:
    """How much the next refresh has to read; by whichever model, where this deployment reads nothing."""
    from orchestration.enrichment.stop_reasons.task import STOP_REASONS
    from orchestration.enrichment.store import open_store
    from orchestration.local.language_model import configured_model
    from orchestration.warehouse import query

    if config.llm == "off" or config.branch:
        unread, reader = query(url, UNREAD.format(texts=texts))[0][0], "any model"
    else:
        reader = configured_model(config).name
        with open_store(url, STOP_REASONS, reader) as store:
            unread = len(store.unread())
    return f"{unread:,} texts unread by {reader}" if unread else "all read"


def _tables(console: Any, url: str, config: "Settings") -> None:
    from rich.table import Table

    from orchestration.warehouse import BRANCHED, SCHEMAS, query

    schemas = [config.schema_of(schema) if schema in BRANCHED else schema for schema in SCHEMAS]

    table = Table("schema", "tables", "rows (about)", "size", box=None, padding=(0, 2, 0, 0))
    counts = {row[0]: row[1:] for row in query(url, TABLES, (schemas,))}
    for schema in schemas:
        tables, rows, size = counts.get(schema, (0, 0, 0))
        table.add_row(schema, f"{tables}", f"{rows:,}", f"{size / 1e6:,.1f} MB")
    console.print(table)


def _runs(console: Any, limit: int) -> None:
    from dagster import DagsterInstance
    from rich.table import Table

    table = Table("run", "job", "status", "started", "seconds", box=None, padding=(0, 2, 0, 0))
    with DagsterInstance.get() as instance:
        for record in instance.get_run_records(limit=limit):
            run, began, ended = record.dagster_run, record.start_time, record.end_time
            took = f"{ended - began:.0f}" if began and ended else ""
            table.add_row(run.run_id[:8], run.job_name, run.status.value.lower(), _started(record), took)
    console.print(table if table.row_count else "no run yet")


def _started(record: "RunRecord") -> str:
    """When a run started; of one that ended before it could, when it was created."""
    if record.start_time:
        return _ago(datetime.fromtimestamp(record.start_time, timezone.utc))
    return f"never, created {_ago(record.create_timestamp)}" if record.dagster_run.is_finished else "not yet"


def _exists(url: str, relation: str) -> bool:
    from orchestration.warehouse import query

    return query(url, "select to_regclass(%s) is not null", (relation,))[0][0] is True


def _ago(moment: datetime) -> str:
    """How long ago `moment` (with a zone) was, in the largest unit that fits."""
    seconds = (datetime.now(timezone.utc) - moment).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"
