"""manifest.json: what a published export holds, and what its files must add up to."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestration.export.errors import ExportError
from orchestration.export.parquet import parquet_schema
from orchestration.export.tables import Table

NAME = "manifest.json"
CHECKSUMS = "SHA256SUMS"
VERSION = 1
BLOCK = 1 << 20


@dataclass(frozen=True)
class File:
    """One file of an export. `path` is relative to it; `rows` are per table, "ctgov.studies" → 2,000."""

    path: str
    format: str
    bytes: int
    sha256: str
    rows: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """`created_at` is when the snapshot was taken, `registry_timestamp` the registry's own date of its data."""

    created_at: str
    registry_timestamp: str | None
    versions: dict[str, str]
    run_id: str
    tables: list[dict[str, Any]]
    files: list[File] = field(default_factory=list)
    version: int = VERSION

    @property
    def rows(self) -> dict[str, int]:
        return {table["table"]: table["rows"] for table in self.tables}

    def columns(self, table: str) -> list[dict[str, Any]]:
        """The columns of one table."""
        found: list[dict[str, Any]] = next(t["columns"] for t in self.tables if t["table"] == table)
        return found

    def write(self, directory: Path) -> None:
        """Write manifest.json, and SHA256SUMS for whoever has only `sha256sum -c`."""
        path = directory / NAME
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")
        sums = [(file.sha256, file.path) for file in self.files] + [(sha256(path), NAME)]
        (directory / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for digest, name in sums))


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a published export. Raises ExportError where there is none, or it is damaged."""
    path = directory / NAME
    try:
        text = path.read_bytes()
        listed = dict(line.split("  ", 1)[::-1] for line in (directory / CHECKSUMS).read_text().splitlines())
    except OSError as error:
        raise ExportError(f"{directory} is no published export: {error.strerror} ({error.filename})") from error
    except ValueError:
        raise ExportError(f"{directory / CHECKSUMS} is damaged: export again") from None
    if listed.get(NAME) != hashlib.sha256(text).hexdigest():
        raise ExportError(f"{path} was changed after it was published: it differs from {CHECKSUMS}")
    values = json.loads(text)
    if values.get("version") != VERSION:
        raise ExportError(f"{path} is of version {values.get('version')}, this program reads {VERSION}: update it")
    return Manifest(**{**values, "files": [File(**file) for file in values["files"]]})


def described(table: Table) -> dict[str, Any]:
    """A table as the manifest has it."""
    types = parquet_schema(table)
    return {
        "table": table.full_name,
        "kind": table.kind,
        "rows": table.rows,
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "parquet": str(types[column.name]),
                "nullable": column.nullable,
                "description": column.description,
            }
            for column in table.columns
        ],
    }


def sha256(path: Path, heard: Callable[[int], None] = lambda read: None) -> str:
    """The file's checksum, 64 hex digits. `heard` is told of bytes as they are read."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            heard(len(block))
    return digest.hexdigest()
