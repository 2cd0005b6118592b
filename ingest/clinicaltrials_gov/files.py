"""Pages of studies as CSV files that dlt hands to Postgres' COPY as they are."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ingest.clinicaltrials_gov.studies import Rejected, Study

STUDY_COLUMNS = (
    "nct_id",
    "last_update_post_date",
    "content_hash",
    "payload",
    "loaded_at",
    "deleted_at",
    "found_by",
    "_dlt_load_id",
)
REJECTED_COLUMNS = ("nct_id", "reason", "payload", "content_hash", "loaded_at", "_dlt_load_id")


@dataclass
class CsvFile:
    """A file of rows of one table; `dropped` are the byte ranges of rows that a later one replaced."""

    path: Path
    rows: int = 0
    dropped: list[tuple[int, int]] = field(default_factory=list)


class BatchFiles:
    """The rows of one batch: a file for each table and page that has any. No study is in them twice.

    The csv module is not used: quoting 25 KB of JSON is one `bytes.replace`, five times as fast.
    """

    def __init__(self, directory: Path, load_id: str, loaded_at: datetime, found_by: str):
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._stamp = loaded_at.isoformat().encode(), load_id.encode()
        self._found_by = found_by.encode()
        self._open: dict[str, tuple[CsvFile, BinaryIO]] = {}
        self._rows: dict[str, tuple[CsvFile, int, int]] = {}
        self._files: dict[str, list[CsvFile]] = {"studies": [], "rejected_studies": []}

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def study(self, study: Study) -> None:
        """Add a row to `studies`; its empty `deleted_at` makes the merge clear that column."""
        updated = study.last_update_post_date.isoformat().encode() if study.last_update_post_date else b""
        loaded_at, load_id = self._stamp
        payload = study.payload.replace(b'"', b'""')
        key = study.nct_id.encode(), updated, study.content_hash.encode()
        row = b'%b,%b,%b,"%b",%b,,%b,%b\n' % (*key, payload, loaded_at, self._found_by, load_id)
        self._write("studies", STUDY_COLUMNS, study.nct_id, row)

    def rejected(self, record: Rejected) -> None:
        """Add a row to `rejected_studies`, once for the same text."""
        if record.content_hash in self:
            return
        nct_id, reason, text = (record.nct_id or "").encode(), _quoted(record.reason), _quoted(record.text)
        row = (nct_id, reason, text, record.content_hash.encode(), *self._stamp)
        self._write("rejected_studies", REJECTED_COLUMNS, record.content_hash, b",".join(row) + b"\n")

    def drop(self, key: str) -> None:
        """Take a row back: another record of the same study came later."""
        file, start, end = self._rows.pop(key)
        file.dropped.append((start, end))
        file.rows -= 1

    def end_page(self) -> None:
        """Close the page's files; the next row starts new ones."""
        for _, stream in self._open.values():
            stream.close()
        self._open.clear()

    def finish(self) -> dict[str, list[CsvFile]]:
        """The complete files with rows in them, by table."""
        self.end_page()
        for files in self._files.values():
            for file in files:
                _cut_dropped(file)
        return {table: [file for file in files if file.rows] for table, files in self._files.items()}

    def _write(self, table: str, columns: tuple[str, ...], key: str, row: bytes) -> None:
        if table not in self._open:
            file = CsvFile(self._directory / f"{table}.{len(self._files[table])}.csv")
            self._files[table].append(file)
            self._open[table] = file, file.path.open("wb")
            self._open[table][1].write(",".join(columns).encode() + b"\n")
        file, stream = self._open[table]
        start = stream.tell()
        stream.write(row)
        file.rows += 1
        self._rows[key] = file, start, start + len(row)


def _quoted(text: str) -> bytes:
    """A CSV field without the characters that UTF-8 or Postgres cannot hold."""
    return b'"%b"' % text.replace("\0", "").encode("utf-8", "replace").replace(b'"', b'""')


def _cut_dropped(file: CsvFile) -> None:
    """Rewrite the file without its dropped rows, if it has any."""
    if not file.dropped:
        return
    whole, kept = file.path.read_bytes(), []
    position = 0
    for start, end in sorted(file.dropped):
        kept.append(whole[position:start])
        position = end
    file.path.write_bytes(b"".join([*kept, whole[position:]]))
    file.dropped.clear()
