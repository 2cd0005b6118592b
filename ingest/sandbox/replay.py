"""Real records, or any others, served as a registry: one JSON a line, gzipped or not."""

import gzip
import os
import shutil
import tempfile
from array import array
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

import orjson

from ingest.sandbox.registry import UNDATED, days_since_epoch, update_order


class ReplayRegistry:
    """The records of a file. In memory: where each line is, its date and its id; the lines stay on disk.

    A line that is no JSON object is an error of the file (ValueError with its number). Of lines with one NCT id the
    last counts. Records without an id are listed but cannot be asked for; records without a date come last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _seekable(path)
        self._starts, self._ends = array("Q"), array("Q")
        self._dates: list[int] = []
        self._ids: dict[str, int] = {}
        dropped = self._read()
        self.replaced = len(dropped)
        self.by_index: Sequence[int] = array("I", (i for i in range(len(self._starts)) if i not in dropped))
        self.by_update: Sequence[int] = update_order(self.by_index, self._dates, max(self._dates, default=0))

    @property
    def timestamp(self) -> str:
        """The file's own: a new file is new data."""
        changed = datetime.fromtimestamp(int(self.path.stat().st_mtime), tz=timezone.utc)
        return changed.replace(tzinfo=None).isoformat()

    def date(self, index: int) -> int:
        return self._dates[index]

    def find(self, nct: str) -> int | None:
        return self._ids.get(nct)

    def render(self, index: int) -> bytes:
        # `pread` has no position to share, so threads can read at the same time.
        return os.pread(self._file.fileno(), self._ends[index] - self._starts[index], self._starts[index])

    def study(self, index: int, modules: Collection[str] | None = None) -> Any:
        return orjson.loads(self.render(index))

    def _read(self) -> set[int]:
        """Fill the index. Returns the positions of records that a later line replaces."""
        dropped = set()
        for number, (start, line) in enumerate(_lines(self._file), 1):
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"{self.path}, line {number}: {error}") from None
            if not isinstance(record, dict):
                raise ValueError(f"{self.path}, line {number}: not a JSON object")
            position = len(self._starts)
            self._starts.append(start)
            self._ends.append(start + len(line.rstrip()))
            protocol = record.get("protocolSection")
            updated = _at(protocol, "statusModule", "lastUpdatePostDateStruct", "date")
            self._dates.append(days_since_epoch(updated) or UNDATED)
            nct = _at(protocol, "identificationModule", "nctId")
            if isinstance(nct, str):
                if nct.upper() in self._ids:
                    dropped.add(self._ids[nct.upper()])
                self._ids[nct.upper()] = position
        return dropped


def _at(node: object, *path: str) -> object:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    position = 0
    for line in file:
        yield position, line
        position += len(line)


def _seekable(path: Path) -> IO[bytes]:
    """The file, or a gzipped one unpacked to a nameless file that goes when the process ends."""
    with open(path, "rb") as start:
        zipped = start.read(2) == b"\x1f\x8b"
    if not zipped:
        return open(path, "rb")
    unpacked: IO[bytes] = tempfile.TemporaryFile(prefix="bioloupe-replay-")  # noqa: SIM115 - lives as long as the registry
    with gzip.open(path) as packed:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
    unpacked.flush()
    unpacked.seek(0)
    return unpacked
