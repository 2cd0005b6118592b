"""What a load asks of `raw_ctgov`, and does to it beside dlt's merge: hashes, times, vanished studies, the lock."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection

DATASET = "raw_ctgov"
_LOCK_KEY = 0x62696F6C6F757065
_TABLES = """
create schema if not exists raw_ctgov;
create table if not exists raw_ctgov.studies (
    nct_id text primary key,
    last_update_post_date date,
    content_hash text not null,
    payload jsonb not null,
    loaded_at timestamptz not null,
    deleted_at timestamptz,
    found_by text,
    _dlt_load_id text not null
);
create index if not exists studies_loaded_at on raw_ctgov.studies (loaded_at);
create table if not exists raw_ctgov.rejected_studies (
    nct_id text,
    reason text not null,
    payload text not null,
    content_hash text primary key,
    loaded_at timestamptz not null,
    _dlt_load_id text not null
);
create schema if not exists raw_ctgov_staging;
create table if not exists raw_ctgov_staging.studies (like raw_ctgov.studies);
"""
# Tables of before the column existed. Asked first: `add column if not exists` locks every reader out to find out.
_ADD_FOUND_BY = """
do $$
declare studies regclass;
begin
    for studies in
        select t from unnest(array['raw_ctgov.studies', 'raw_ctgov_staging.studies']::regclass[]) t
        where not exists (select from pg_attribute where attrelid = t and attname = 'found_by' and not attisdropped)
    loop
        execute format('alter table %s add column if not exists found_by text', studies);
    end loop;
end $$
"""
_SET_LZ4 = """
do $$
declare studies regclass;
begin
    for studies in
        select attrelid from pg_attribute
        where attrelid in ('raw_ctgov.studies'::regclass, 'raw_ctgov_staging.studies'::regclass)
          and attname = 'payload' and attcompression <> 'l'
    loop
        execute format('alter table %s alter column payload set compression lz4', studies);
    end loop;
end $$
"""
_NEXT_TIME = """
select greatest(clock_timestamp(), greatest(max(loaded_at), %s::timestamptz) + interval '1 microsecond')
from raw_ctgov.studies
"""
_SWEEP = """
with swept as (
    update raw_ctgov.studies s set deleted_at = case when deleted_at is null then t end, loaded_at = t, found_by = %s
    from (values (%s::timestamptz)) as now (t)
    where (deleted_at is null) <> exists (select from registry_ids r where r.nct_id = s.nct_id)
    returning s.deleted_at
)
select count(deleted_at), count(*) - count(deleted_at) from swept
"""
_MISSING = """
select nct_id from registry_ids i
where not exists (select from raw_ctgov.studies s where s.nct_id = i.nct_id)
  and not exists (select from raw_ctgov.rejected_studies r where r.nct_id = i.nct_id)
order by nct_id
"""
_LOCK_HOLDER = """
select format('session %%s of %%s, since %%s', pid, usename, backend_start) from pg_stat_activity
where pid in (
    select pid from pg_locks where locktype = 'advisory' and granted and classid = %s and objid::bigint = %s
)
"""


class LoadInProgress(Exception):
    """Another process loads into the same warehouse; the message says which session of the server it is."""


class Stored(NamedTuple):
    """A study as the warehouse has it; `gone`: it is marked as having left the registry."""

    content_hash: str
    gone: bool


@dataclass(frozen=True)
class Sweep:
    """What comparing the registry's ids with the warehouse's changed, and the ids that the warehouse lacks."""

    gone: int
    returned: int
    missing: list[str]


class Warehouse:
    """One connection to the warehouse, held while a load runs. Statements commit by themselves."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._last_time: datetime | None = None

    def ensure_tables(self) -> None:
        """Create what is missing, with payloads compressed by lz4 where the server can: pglz costs twice the time.

        The merge moves compressed values as they are, so the table that dlt copies into needs the setting as well.
        """
        self._execute(_TABLES)
        self._execute(_ADD_FOUND_BY)
        if self._row("select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'")[0]:
            self._execute(_SET_LZ4)

    def is_empty(self) -> bool:
        return self._row("select not exists (select from raw_ctgov.studies)")[0] is True

    def stored(self, nct_ids: Sequence[str]) -> dict[str, Stored]:
        """What is stored of those of the studies that are."""
        query = "select nct_id, content_hash, deleted_at is not null from raw_ctgov.studies where nct_id = any(%s)"
        with self._connection.cursor() as cursor:
            cursor.execute(query, (list(nct_ids),))
            return {nct_id: Stored(content_hash, gone) for nct_id, content_hash, gone in cursor}

    def unmark(self, nct_ids: Sequence[str], at: datetime, found_by: str) -> None:
        """Clear `deleted_at` of studies that came back as they were, which the merge passes over."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "update raw_ctgov.studies set deleted_at = null, loaded_at = %s, found_by = %s where nct_id = any(%s)",
                (at, found_by, list(nct_ids)),
            )

    def next_time(self) -> datetime:
        """A time for the next batch: now, but later than any row's and than any that was given before."""
        self._last_time = self._row(_NEXT_TIME, self._last_time)[0]
        return self._last_time

    def accounted_studies(self) -> int:
        """Studies that the registry should count: live rows, and the rejected that have no row."""
        return int(
            self._row(
                "select (select count(*) from raw_ctgov.studies where deleted_at is null) + "
                "(select count(distinct coalesce(nct_id, content_hash)) from raw_ctgov.rejected_studies r "
                "where not exists (select from raw_ctgov.studies s where s.nct_id = r.nct_id))"
            )[0]
        )

    def state_hash(self, pipeline_name: str) -> str | None:
        """The version of the pipeline's state that was last committed here; None where there is none."""
        if self._row("select to_regclass('raw_ctgov._dlt_pipeline_state')")[0] is None:
            return None
        return str(
            self._row(
                "select (select s.version_hash from raw_ctgov._dlt_pipeline_state s "
                "join raw_ctgov._dlt_loads l on l.load_id = s._dlt_load_id "
                "where s.pipeline_name = %s and l.status = 0 order by l.load_id desc limit 1)",
                pipeline_name,
            )[0]
        )

    def forget_ids(self) -> None:
        """Begin to collect the registry's ids, for `sweep`."""
        self._execute("create temp table if not exists registry_ids (nct_id text primary key); truncate registry_ids")

    def add_ids(self, nct_ids: Sequence[str]) -> None:
        """Collect a page of the registry's ids."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "insert into registry_ids select unnest(%s::text[]) on conflict do nothing", (list(nct_ids),)
            )

    def sweep(self, found_by: str) -> Sweep:
        """Mark the studies that the collected ids lack, unmark those that came back; in one transaction."""
        with self._connection.cursor() as cursor:
            cursor.execute("analyze registry_ids")
            cursor.execute(_SWEEP, (found_by, self.next_time()))
            row = cursor.fetchone()
            assert row is not None
            cursor.execute(_MISSING)
            return Sweep(row[0], row[1], [nct_id for (nct_id,) in cursor])

    def _execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _row(self, query: str, *parameters: Any) -> tuple[Any, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            row: tuple[Any, ...] | None = cursor.fetchone()
        assert row is not None
        return row


@contextmanager
def open_warehouse(database_url: str, wait_seconds: float = 15.0) -> Iterator[Warehouse]:
    """Connect and keep every other load out until done. Raises LoadInProgress.

    The lock belongs to the server's session, so it goes with the process that held it, however that ended; the wait
    is for a killed process whose last statement is still running.
    """
    connection = psycopg2.connect(database_url, application_name="bioloupe load")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # A client that vanished without a word (network, power) must not keep the lock for the usual two hours.
            cursor.execute(
                "set tcp_keepalives_idle = 60; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3"
            )
        _lock(connection, wait_seconds)
        yield Warehouse(connection)
    finally:
        connection.close()


def _lock(connection: Connection, wait_seconds: float) -> None:
    give_up = time.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_lock(%s)", (_LOCK_KEY,))
            if cursor.fetchone() == (True,):
                return
            if time.monotonic() > give_up:
                cursor.execute(_LOCK_HOLDER, (_LOCK_KEY >> 32, _LOCK_KEY & 0xFFFFFFFF))
                holder = cursor.fetchone()
                raise LoadInProgress(f"studies are being loaded by {holder[0] if holder else 'another session'}")
            time.sleep(0.5)
