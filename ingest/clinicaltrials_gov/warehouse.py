"""What a load asks of `raw_ctgov`, and does to it beside dlt's merge: hashes, times, vanished studies, the lock."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ingest.clinicaltrials_gov import schema
from ingest.clinicaltrials_gov.locks import WRITE_LOCK, LoadInProgress, lock_of, locked

__all__ = ["LoadInProgress", "Stored", "Sweep", "Warehouse", "open_warehouse"]

DATASET = "raw_ctgov"
# Others write a batch in seconds; an hour means that one of them hangs.
WRITE_WAIT_SECONDS = 3600.0
_NEXT_TIME = """
select greatest(clock_timestamp(), max(loaded_at) + interval '1 microsecond')
from raw_ctgov.studies
"""
_SWEEP = """
with swept as (
    update raw_ctgov.studies s set deleted_at = case when deleted_at is null then t end, loaded_at = t, found_by = %s
    from (values (%s::timestamptz)) as now (t)
    where (deleted_at is null) <> exists (select from registry_ids r where r.nct_id = s.nct_id)
      and loaded_at < %s
    returning s.deleted_at
)
select count(deleted_at), count(*) - count(deleted_at) from swept
"""
_UNSEEN = """
select nct_id from raw_ctgov.studies
left join (
    select distinct n from raw_ctgov.reconciliation_ids, unnest(nct_numbers) n where began_at = %s
) seen on n = substr(nct_id, 4)::integer
where deleted_at is null and loaded_at < %s and n is null
order by nct_id
"""
_MARK_GONE = """
update raw_ctgov.studies set deleted_at = t, loaded_at = t, found_by = %s
from (values (%s::timestamptz)) as now (t) where nct_id = any(%s) and deleted_at is null
"""
_MISSING = """
select nct_id from registry_ids i
where not exists (select from raw_ctgov.studies s where s.nct_id = i.nct_id)
  and not exists (select from raw_ctgov.rejected_studies r where r.nct_id = i.nct_id)
order by nct_id
"""
_SEEN_AGAIN = """
update raw_ctgov.registry_versions set observed_at = clock_timestamp()
where observed_at = (select max(observed_at) from raw_ctgov.registry_versions)
"""


class Stored(NamedTuple):
    """A study as the warehouse has it; `gone`: it is marked as having left the registry."""

    content_hash: str
    gone: bool
    last_update_post_date: date | None


@dataclass(frozen=True)
class Sweep:
    """What comparing the registry's ids with the warehouse's changed, and the ids that the warehouse lacks."""

    gone: int
    returned: int
    missing: list[str]


class Warehouse:
    """One connection to the warehouse, held while a load runs. Statements commit by themselves."""

    def __init__(self, connection: Connection, pipeline_name: str):
        self._connection, self._pipeline_name = connection, pipeline_name

    def ensure_tables(self) -> None:
        """Create what is missing: tables, columns, triggers."""
        with self.writing(), self._connection.cursor() as cursor:
            schema.ensure(cursor)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other loads from writing meanwhile: they share dlt's staging tables. They may go on reading."""
        with locked(self._connection, WRITE_LOCK, WRITE_WAIT_SECONDS):
            yield

    def use_staging(self) -> None:
        """Note whose rows the staging tables hold from now on."""
        self._execute(
            "insert into raw_ctgov_staging.last_used (pipeline_name) values (%s) "
            "on conflict (single) do update set pipeline_name = excluded.pipeline_name",
            self._pipeline_name,
        )

    def staging_is_ours(self) -> bool:
        """Whether no other load has used the staging tables since this pipeline did."""
        query = "select not exists (select from raw_ctgov_staging.last_used where pipeline_name <> %s)"
        return self._row(query, self._pipeline_name)[0] is True

    def is_empty(self) -> bool:
        return self._row("select not exists (select from raw_ctgov.studies)")[0] is True

    def stored(self, nct_ids: Sequence[str]) -> dict[str, Stored]:
        """What is stored of those of the studies that are."""
        query = (
            "select nct_id, content_hash, deleted_at is not null, last_update_post_date "
            "from raw_ctgov.studies where nct_id = any(%s)"
        )
        with self._connection.cursor() as cursor:
            cursor.execute(query, (list(nct_ids),))
            return {nct_id: Stored(*stored) for nct_id, *stored in cursor}

    def unmark(self, nct_ids: Sequence[str], found_by: str) -> None:
        """Clear `deleted_at` of studies that came back as they were, which the merge passes over."""
        with self.writing():
            self._execute(
                "update raw_ctgov.studies set deleted_at = null, loaded_at = %s, found_by = %s where nct_id = any(%s)",
                *(self.next_time(), found_by, list(nct_ids)),
            )

    def next_time(self) -> datetime:
        """Now, but later than any row's time: what commits from here on will be at least as late."""
        now: datetime = self._row(_NEXT_TIME)[0]
        return now

    def accounted_studies(self) -> int:
        """Studies that the registry should count: live rows, and the rejected that have no row."""
        return int(
            self._row(
                "select (select count(*) from raw_ctgov.studies where deleted_at is null) + "
                "(select count(distinct coalesce(nct_id, content_hash)) from raw_ctgov.rejected_studies r "
                "where not exists (select from raw_ctgov.studies s where s.nct_id = r.nct_id))"
            )[0]
        )

    def state_hash(self) -> str | None:
        """The version of the pipeline's state that was last committed here; None where there is none."""
        if self._row("select to_regclass('raw_ctgov._dlt_pipeline_state')")[0] is None:
            return None
        return str(
            self._row(
                "select (select s.version_hash from raw_ctgov._dlt_pipeline_state s "
                "join raw_ctgov._dlt_loads l on l.load_id = s._dlt_load_id "
                "where s.pipeline_name = %s and l.status = 0 order by l.load_id desc limit 1)",
                self._pipeline_name,
            )[0]
        )

    def seen_again(self) -> None:
        """Note that the registry was asked and still stands where the last load left it: what is kept is fresh."""
        if self._row("select to_regclass('raw_ctgov.registry_versions')")[0] is not None:
            self._execute(_SEEN_AGAIN)

    def forget_ids(self) -> None:
        """Begin to collect the registry's ids, for `sweep`."""
        self._execute("create temp table if not exists registry_ids (nct_id text primary key); truncate registry_ids")

    def add_ids(self, nct_ids: Sequence[str]) -> None:
        """Collect a page of the registry's ids."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "insert into registry_ids select unnest(%s::text[]) on conflict do nothing", (list(nct_ids),)
            )

    def sweep(self, found_by: str, began: datetime) -> Sweep:
        """Mark the studies that the collected ids lack, unmark those that came back; in one transaction.

        What another load has brought since the ids were `began` to be collected is left alone.
        """
        with self.writing(), self._connection.cursor() as cursor:
            cursor.execute("analyze registry_ids")
            cursor.execute(_SWEEP, (found_by, self.next_time(), began))
            row = cursor.fetchone()
            assert row is not None
            cursor.execute(_MISSING)
            return Sweep(row[0], row[1], [nct_id for (nct_id,) in cursor])

    def was_loaded_whole(self) -> bool:
        """Whether a crawl of the whole registry was ever completed."""
        return self.last_version() is not None

    def last_version(self) -> tuple[str | None, datetime] | None:
        """(dataTimestamp, when it was observed) of the registry that the last complete nightly load saw."""
        if self._row("select to_regclass('raw_ctgov.registry_versions')")[0] is None:
            return None
        query = "select data_timestamp, observed_at from raw_ctgov.registry_versions order by observed_at desc limit 1"
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            row: tuple[str | None, datetime] | None = cursor.fetchone()
        return row

    def live_studies(self) -> int:
        return int(self._row("select count(*) from raw_ctgov.studies where deleted_at is null")[0])

    def keep_ids(self, began_at: str, nct_ids: Sequence[str]) -> None:
        """Keep what a sweep has read: the numbers alone, a hundred in a row, so that a registry is 3 MB.

        Kept before the batch commits: one that is read again after a kill is there twice, which does no harm.
        """
        numbers = [int(nct_id[3:]) for nct_id in nct_ids]
        self._execute("insert into raw_ctgov.reconciliation_ids values (%s, %s)", began_at, numbers)

    def seen(self, began_at: str) -> int:
        """How many different studies a sweep has read."""
        query = "select count(distinct n) from raw_ctgov.reconciliation_ids, unnest(nct_numbers) n where began_at = %s"
        return int(self._row(query, began_at)[0])

    def unseen(self, began_at: str) -> list[str]:
        """Our live studies that a sweep has not read, but for those that a load has brought since it began."""
        with self._connection.cursor() as cursor:
            cursor.execute(_UNSEEN, (began_at, began_at))
            return [nct_id for (nct_id,) in cursor]

    def is_concluded(self, began_at: str) -> bool:
        return (
            self._row("select exists (select from raw_ctgov.reconciliations where began_at = %s)", began_at)[0] is True
        )

    def conclude(self, gone: Sequence[str], found_by: str, row: dict[str, Any]) -> None:
        """Mark studies as gone, add the sweep's row, forget its ids; in one transaction."""
        columns, now = ", ".join(row), self.next_time()
        with self.writing(), self._transaction() as cursor:
            cursor.execute(_MARK_GONE, (found_by, now, list(gone)))
            cursor.execute(
                f"insert into raw_ctgov.reconciliations ({columns}, finished_at) "
                f"values ({', '.join(['%s'] * len(row))}, clock_timestamp())",
                list(row.values()),
            )
            cursor.execute("delete from raw_ctgov.reconciliation_ids where began_at <= %s", (row["began_at"],))

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        self._connection.autocommit = False
        try:
            with self._connection, self._connection.cursor() as cursor:
                yield cursor
        finally:
            self._connection.autocommit = True

    def _execute(self, statement: str, *parameters: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)

    def _row(self, query: str, *parameters: Any) -> tuple[Any, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            row: tuple[Any, ...] | None = cursor.fetchone()
        assert row is not None
        return row


@contextmanager
def open_warehouse(database_url: str, pipeline_name: str, wait_seconds: float) -> Iterator[Warehouse]:
    """Connect, and keep out every other load of the same pipeline until done. Raises LoadInProgress.

    The lock belongs to the server's session, so it goes with the process that held it, however that ended.
    """
    connection = psycopg2.connect(database_url, application_name="bioloupe load")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # A client that vanished without a word (network, power) must not keep the lock for the usual two hours.
            cursor.execute(
                "set tcp_keepalives_idle = 60; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3"
            )
        with locked(connection, lock_of(pipeline_name), wait_seconds):
            yield Warehouse(connection, pipeline_name)
    finally:
        connection.close()
