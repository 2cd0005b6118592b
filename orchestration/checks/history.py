"""What tables look like now and looked like before: `checks.table_history`, behind a few functions."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from orchestration.checks.verdicts import Baseline, Bounds, Column, Observation, Verdict, judge

_COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
_LATEST = """
with usable as (
    select
        *,
        max(observed_at) filter (where verdict = 'accepted') over () as accepted_at,
        max(observed_at) over () as last_at
    from checks.table_history where relation = %s and verdict <> 'held'
), compared as (
    select *, row_count - coalesce((columns -> 'deleted_at' ->> 'filled')::bigint, 0) as live from usable
    where observed_at >= coalesce(accepted_at, '-infinity') and observed_at > last_at - interval '7 days'
)
select row_count, columns, observed_at, max(row_count) over (), max(live) over ()
from compared order by observed_at desc limit 1
"""
_RECORD = """
insert into checks.table_history (relation, row_count, columns, verdict, reason, run_id) values (%s, %s, %s, %s, %s, %s)
"""
_FORGET = "delete from checks.table_history where relation = %s and observed_at < now() - interval '400 days'"


def observe(connection: Connection, relation: str) -> Observation | None:
    """Count the table's rows, and the values of each column, in one pass. None where there is no such table."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, (relation,))
        types = dict(cursor.fetchall())
        if not types:
            return None
        counts = sql.SQL(", ").join(
            [sql.SQL("count(*)"), *(sql.SQL("count({})").format(sql.Identifier(c)) for c in types)]
        )
        cursor.execute(sql.SQL("select {} from {}").format(counts, sql.Identifier(*relation.split("."))))
        row = cursor.fetchone()
    assert row is not None
    rows, *filled = row
    columns = {name: Column(kind, count) for (name, kind), count in zip(types.items(), filled, strict=True)}
    return Observation(relation, rows, columns)


def baseline(connection: Connection, relation: str) -> Baseline | None:
    """What the table is compared with: since an operator last accepted it, if one did. None: never examined."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, (relation,))
        row = cursor.fetchone()
    if row is None:
        return None
    rows, columns, observed_at, peak_rows, peak_live = row
    last = Observation(relation, rows, {name: Column(**column) for name, column in columns.items()})
    return Baseline(last, observed_at, peak_rows, peak_live)


def examine(connection: Connection, relation: str, bounds: Bounds, run_id: str | None = None) -> Sequence[Verdict]:
    """Judge the table as it stands against its history and add it to that, in one transaction.

    What is held back is written down but never compared with, so examining twice does not make it right.
    """
    with connection:
        now = observe(connection, relation)
        verdicts = judge(now, baseline(connection, relation), bounds)
        if now is not None:
            held = [verdict.text for verdict in verdicts if verdict.holds]
            _record(connection, now, "held" if held else "passed", "; ".join(held) or None, run_id)
    return verdicts


def accept(connection: Connection, relation: str, reason: str) -> Observation:
    """Take the table as it stands as right: later nights are compared with it. Raises LookupError: no such table."""
    with connection:
        now = observe(connection, relation)
        if now is None:
            raise LookupError(f"there is no table {relation}")
        _record(connection, now, "accepted", reason, None)
    return now


def held(connection: Connection) -> list[tuple[str, Any, str]]:
    """Tables whose last examination held back what follows: relation, when, why."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select relation, observed_at, reason from ("
            "select distinct on (relation) * from checks.table_history order by relation, observed_at desc"
            ") as latest where verdict = 'held' order by relation"
        )
        return cursor.fetchall()


def _record(connection: Connection, now: Observation, verdict: str, reason: str | None, run_id: str | None) -> None:
    columns = json.dumps({name: asdict(column) for name, column in now.columns.items()})
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, (now.relation, now.rows, columns, verdict, reason, run_id))
        cursor.execute(_FORGET, (now.relation,))
