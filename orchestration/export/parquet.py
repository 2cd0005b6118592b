"""Parquet files, one per table: Postgres streams CSV, polars writes row groups as blocks come in.

Memory holds a few blocks, whatever the table's size: neither a table nor its CSV is ever whole anywhere.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from psycopg2 import DataError, sql

from orchestration.export.errors import ExportError
from orchestration.export.parquet_types import Reading, reading
from orchestration.export.snapshot import Snapshot
from orchestration.export.tables import Table

if TYPE_CHECKING:
    import polars as pl

FOLDER = "parquet"
BLOCK = 8 << 20
BLOCKS_IN_GROUP = 4
BLOCKS_WAITING = 2
# A record of a single NULL would be an empty line, which CSV readers skip.
_LAST = "_"
_COPY = sql.SQL("copy (select {}, 0 from {}) to stdout with (format csv)")


class _Abandoned(Exception):
    """Whoever wanted the blocks has gone."""


class _Blocks:
    """What `copy` writes to, in a thread of its own; `psycopg2` hands over one record a call.

    Iterating gives blocks of whole records. Leaving the context raises what the thread raised.
    """

    def __init__(self, copy: Callable[["_Blocks"], None], heard: Callable[[int], None]):
        self._copy, self._heard = copy, heard
        self._held, self._rows = bytearray(), 0
        self._queue: Queue[bytes | None] = Queue(BLOCKS_WAITING)
        self._abandoned = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, name="export-copy", daemon=True)

    def __enter__(self) -> "_Blocks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._abandoned.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._queue.get()) is not None:
            yield block
        if self._error is not None:
            raise self._error

    def write(self, record: bytes) -> int:
        self._held += record
        self._rows += 1
        if len(self._held) >= BLOCK:
            self._pass_on()
        return len(record)

    def _work(self) -> None:
        try:
            self._copy(self)
            self._pass_on()
            self._put(None)
        except _Abandoned:
            return
        except BaseException as error:
            self._error = error
            with suppress(_Abandoned):
                self._put(None)

    def _pass_on(self) -> None:
        self._put(bytes(self._held))
        self._heard(self._rows)
        self._held, self._rows = bytearray(), 0

    def _put(self, item: bytes | None) -> None:
        while not self._accepted(item):
            if self._abandoned.is_set():
                raise _Abandoned

    def _accepted(self, item: bytes | None) -> bool:
        try:
            self._queue.put(item, timeout=0.2)
            return True
        except Full:
            return False


def write_parquet(snapshot: Snapshot, directory: Path, heard: Callable[[int], None]) -> list[str]:
    """Write parquet/<schema>/<table>.parquet below `directory`; the paths, relative to it."""
    paths = []
    for table in snapshot.tables:
        path = directory / FOLDER / table.schema / f"{table.name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with _explained(table):
            _write(snapshot, table, path, heard)
        paths.append(path.relative_to(directory).as_posix())
    return paths


@contextmanager
def _explained(table: Table) -> Iterator[None]:
    """A value that Parquet cannot hold is no reason to try again: say where it is."""
    from polars.exceptions import PolarsError

    try:
        yield
    except (PolarsError, DataError) as error:
        why = str(error).strip().splitlines()[0]
        # polars wraps what the system said.
        if number := re.search(r"\(os error (\d+)\)", why):
            raise OSError(int(number.group(1)), why) from error
        raise ExportError(
            f"{table.full_name} cannot be written as Parquet: {why}. Mend the value, or leave Parquet out: "
            "--format flat,dump"
        ) from error


def parquet_schema(table: Table) -> "dict[str, Any]":
    """Column → the polars type that it has in the table's Parquet file."""
    return {column.name: reading(column).becomes for column in table.columns}


def _write(snapshot: Snapshot, table: Table, path: Path, heard: Callable[[int], None]) -> None:
    readings = {column.name: reading(column) for column in table.columns}
    asked = sql.SQL(", ").join(r.asked for r in readings.values())

    def copy(blocks: _Blocks) -> None:
        with snapshot.reader() as cursor:
            cursor.copy_expert(_COPY.format(asked, table.identifier), blocks)

    with _Blocks(copy, heard) as blocks:
        frames = (_frame(block, readings) for block in blocks)
        _sink(frames, next(frames), path)


def _frame(block: bytes, readings: dict[str, Reading]) -> "pl.DataFrame":
    import polars as pl

    arrives = {**{name: r.arrives for name, r in readings.items()}, _LAST: pl.Int8}
    if not block:  # an empty table
        return pl.DataFrame(schema={name: r.becomes for name, r in readings.items()})
    found = pl.read_csv(BytesIO(block), has_header=False, schema=arrives)
    return found.select(r.cast(name) for name, r in readings.items())


def _sink(frames: "Iterator[pl.DataFrame]", first: "pl.DataFrame", path: Path) -> None:
    """Write the frames as they come, in row groups of a bearable size: wide rows make small groups."""
    from polars.io.plugins import register_io_source

    def source(*_: object) -> "Iterator[pl.DataFrame]":
        yield first
        yield from frames

    group = max(first.height * BLOCKS_IN_GROUP, 1)
    register_io_source(source, schema=first.schema).sink_parquet(path, row_group_size=group)
