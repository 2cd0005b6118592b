"""Locks that keep loads apart. They belong to a session of the server, and go with the process that held it."""

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection

from ingest.clinicaltrials_gov.schema import LOCKS

WRITE_LOCK = 0
_HOLDER = """
select format('session %%s of %%s, since %%s', pid, usename, backend_start) from pg_stat_activity
where pid in (
    select pid from pg_locks where locktype = 'advisory' and granted and classid::bigint = %s and objid::bigint = %s
)
"""


class LoadInProgress(Exception):
    """Another process loads the same studies; the message says which session of the server it is."""


def lock_of(pipeline_name: str) -> int:
    """The lock of one pipeline, whose state and working files only one process may use at a time."""
    return 2 + zlib.crc32(pipeline_name.encode()) % (2**31 - 2)


@contextmanager
def locked(connection: Connection, lock: int, wait_seconds: float) -> Iterator[None]:
    """Hold a lock. Raises LoadInProgress where another session does not let it go in time."""
    _take(connection, lock, wait_seconds)
    try:
        yield
    finally:
        if not connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", (LOCKS, lock))


def _take(connection: Connection, lock: int, wait_seconds: float) -> None:
    give_up, pause = time.monotonic() + wait_seconds, 0.01
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_lock(%s, %s)", (LOCKS, lock))
            if cursor.fetchone() == (True,):
                return
            if time.monotonic() > give_up:
                cursor.execute(_HOLDER, (LOCKS, lock))
                holder = cursor.fetchone()
                raise LoadInProgress(f"studies are being loaded by {holder[0] if holder else 'another session'}")
            time.sleep(pause)
            pause = min(2 * pause, 0.5)
