"""One state of the database, held still while several sessions read it.

A snapshot alone does not do: a table that is dropped and made anew, as dbt does with marts at every build, looks empty
to an older snapshot. So the tables are locked first (`access share`, which only hinders whoever wants to drop or
rewrite them), then the snapshot is taken, and then it is checked that it sees the tables that were locked.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from orchestration.export.errors import ExportError, ExportInterrupted
from orchestration.export.tables import LOCKABLE, Table, read_tables
from orchestration.warehouse import connect

ATTEMPTS = 5
LOCK_SECONDS = 60
# A snapshot lives as long as its idle transaction, on servers too that end such, and behind firewalls that forget.
_PATIENT = f"""
set idle_in_transaction_session_timeout = 0;
set statement_timeout = 0;
set lock_timeout = '{LOCK_SECONDS}s';
set tcp_keepalives_idle = 30;
set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; set extra_float_digits = 1;
set bytea_output = 'hex'; set client_encoding = 'UTF8'
"""
_BUSY = (
    f"tables stayed locked for {LOCK_SECONDS} s by another session, for example a dbt build that swaps them or waits "
    "to: export again when it is done (`bioloupe status` shows runs)"
)

Choose = Callable[[list[Table]], list[Table]]


class Snapshot:
    """The tables of one moment. Close it at the end.

    `id` is what other sessions give to `set transaction snapshot`; `taken_at` is the moment, by the server's clock.
    """

    id: str
    taken_at: datetime

    def __init__(self, url: str, schemas: tuple[str, ...], choose: Choose):
        """Lock the chosen tables and take the snapshot.

        Raises ExportInterrupted where they stay locked or keep changing, and what `choose` and `connect` raise.
        """
        self._url, self._schemas, self._choose = url, schemas, choose
        self._reader: Connection | None = None
        self.tables: list[Table] = []
        self._holder = _session(url)
        try:
            self._hold()
        except BaseException:  # an interrupt too must leave no table locked
            self.close()
            raise

    def close(self) -> None:
        """Let go of the tables. May be called twice."""
        for connection in (self._reader, self._holder):
            if connection is not None:
                connection.close()

    @contextmanager
    def reader(self) -> Iterator[Cursor]:
        """Yield a cursor that sees the snapshot; a session whose use failed is not used again.

        Raises ExportError where the snapshot is lost, ExportInterrupted where the connection breaks.
        """
        self._check_held()
        with _busy_explained():
            if self._reader is None:
                # All locks at once: later, one would queue behind whoever waits for the holder to let go.
                self._reader = self._import()
            try:
                with self._reader.cursor() as cursor:
                    yield cursor
            except BaseException:  # an interrupt too leaves a transaction that the next reader could not use
                self._reader.close()
                self._reader = None
                raise

    def server_version(self) -> int:
        """The server's major version."""
        return int(self._holder.server_version) // 10_000

    def registry_timestamp(self) -> str | None:
        """The registry's dataTimestamp at the newest load that the snapshot sees; None where none is known."""
        with self._holder.cursor() as cursor:
            cursor.execute("select to_regclass('raw_ctgov.registry_versions') is not null")
            if not cursor.fetchall()[0][0]:
                return None
            cursor.execute(
                "select data_timestamp::text from raw_ctgov.registry_versions order by observed_at desc limit 1"
            )
            found = cursor.fetchall()
            return str(found[0][0]) if found and found[0][0] else None

    def _hold(self) -> None:
        with _busy_explained():
            for _ in range(ATTEMPTS):
                with self._holder.cursor() as cursor:
                    before = self._choose(read_tables(cursor, self._schemas))
                    self._holder.rollback()
                    lock(cursor, before)
                    cursor.execute("select pg_export_snapshot(), clock_timestamp()")
                    self.id, self.taken_at = cursor.fetchall()[0]
                    if self._choose(read_tables(cursor, self._schemas)) == before:
                        self.tables = before
                        return
                    self._holder.rollback()
        raise ExportInterrupted("tables keep being made anew while the export begins: wait for the refresh to end")

    def _import(self) -> Connection:
        connection = _session(self._url)
        try:
            with connection.cursor() as cursor:
                cursor.execute("set transaction snapshot %s", (self.id,))
                lock(cursor, self.tables)
        except BaseException:  # an interrupt too must leave no table locked
            connection.close()
            raise
        return connection

    def _check_held(self) -> None:
        try:
            with self._holder.cursor() as cursor:
                cursor.execute("select 1")
        except psycopg2.Error as error:
            raise ExportError(
                f"the database has ended the session that holds the snapshot ({str(error).strip()}): export again, "
                "from the beginning"
            ) from error


def lock(cursor: Cursor, tables: list[Table]) -> None:
    """Keep the tables from being dropped, truncated or rewritten until the transaction ends."""
    names = [table.identifier for table in tables if table.kind in LOCKABLE]
    if names:
        cursor.execute(sql.SQL("lock table {} in access share mode").format(sql.SQL(", ").join(names)))


def _session(url: str) -> Connection:
    connection = connect(url)
    with closing(connection.cursor()) as cursor:
        cursor.execute(_PATIENT)
    connection.commit()
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    return connection


@contextmanager
def _busy_explained() -> Iterator[None]:
    try:
        yield
    except errors.LockNotAvailable as error:
        raise ExportInterrupted(_BUSY) from error
    except errors.InsufficientPrivilege as error:
        raise ExportError(f"this user may not read what is to be exported: {str(error).strip()}") from error
    except errors.UndefinedTable as error:
        raise ExportInterrupted(f"a table went away while the export began: {str(error).strip()}") from error
