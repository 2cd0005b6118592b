"""What was told and about which runs, in two tables beside Dagster's own: daemon and terminal both look there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from orchestration.automation.alerts import Decision, Open
from orchestration.warehouse import connect

TABLES = """
create table if not exists bioloupe_alerted_runs (run_id text primary key, at timestamptz not null default now());
create table if not exists bioloupe_alerts (
    topic text primary key, fingerprint text not null, told_at timestamptz not null
);
delete from bioloupe_alerted_runs where at < now() - interval '90 days';
delete from bioloupe_alerts where told_at < now() - interval '90 days';
"""
# Daemon and terminal take turns, so that each knows what the other has told. Any number that nothing else locks.
TURN = 4_103_551_268


@dataclass(frozen=True)
class Memory:
    """Alerts that are open, for as long as this process has its turn."""

    known: dict[str, Open]
    _cursor: Cursor

    def keep(self, decision: Decision, now: datetime) -> None:
        """Remember what was told. It is committed when the turn ends, and lost if the turn ends by an exception."""
        for problem in decision.alerts:
            self._cursor.execute(
                "insert into bioloupe_alerts values (%s, %s, %s) on conflict (topic) do update "
                "set fingerprint = excluded.fingerprint, told_at = excluded.told_at",
                (problem.topic, problem.fingerprint, now),
            )
        self._cursor.execute("delete from bioloupe_alerts where topic = any(%s)", (decision.recoveries,))


@contextmanager
def turn(url: str, run_id: str | None = None) -> Iterator[Memory | None]:
    """Yield the open alerts; None where another process has told of this run already.

    `url` is the DSN of Dagster's database. A process that dies in its turn leaves the run untold, to be told by
    whoever looks at it next. Raises WarehouseError where the database cannot be reached.
    """
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (TURN,))
        cursor.execute(TABLES)
        if run_id is not None:
            cursor.execute("insert into bioloupe_alerted_runs values (%s) on conflict do nothing", (run_id,))
            if not cursor.rowcount:
                yield None
                return
        cursor.execute("select topic, fingerprint, told_at from bioloupe_alerts")
        yield Memory({topic: Open(fingerprint, told_at) for topic, fingerprint, told_at in cursor}, cursor)
