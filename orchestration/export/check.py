"""Reads an export's files to their ends and tells what they hold: never what was meant to be written."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile
from zlib import error as BadDeflate

from orchestration.export import dump, flat, parquet
from orchestration.export.errors import ExportError
from orchestration.export.manifest import CHECKSUMS, NAME, File, Manifest, sha256

BLOCK = 1 << 20
# Of a Parquet file, which is ten times as large in memory.
SLICE, LEAST_ROWS, MOST_ROWS = 16 << 20, 1_000, 200_000
FOLDERS = {flat.FOLDER: "flat", parquet.FOLDER: "parquet", dump.FOLDER: "dump"}
# What a zip with a wrong byte may raise: in its directory, its flags (RuntimeError), its data, its text.
UNREADABLE = (BadZipFile, BadDeflate, OSError, EOFError, RuntimeError, UnicodeDecodeError, csv.Error)
Heard = Callable[[int], None]


def examine(directory: Path, paths: list[str], manifest: Manifest, heard: Heard = lambda read: None) -> list[File]:
    """What the files below `directory` hold. `heard` is told of bytes read.

    Raises ExportError for one that cannot be read, or whose columns are not the manifest's.
    """
    return [_examined(directory, path, manifest, heard) for path in paths]


def differences(manifest: Manifest, files: list[File]) -> list[str]:
    """Where the files do not hold the rows that the manifest gives its tables. Empty: all of them do."""
    found = []
    for file in files:
        wanted = {name for name, rows in manifest.rows.items() if _belongs(name, file)}
        for name in sorted(wanted | set(file.rows)):
            held, meant = file.rows.get(name), manifest.rows.get(name)
            # A view has its definition in a dump, and no data.
            if held != meant and not (held is None and file.format == "dump" and _is_view(manifest, name)):
                found.append(f"{file.path}: {name} has {_count(held)}, the snapshot {_count(meant)}")
    return found


def verify(directory: Path, manifest: Manifest, heard: Heard = lambda read: None) -> list[str]:
    """Everything that is wrong with a published export: files missing, added, changed or not what they should hold."""
    listed = {file.path: file for file in manifest.files}
    present = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    problems = [f"{path}: missing" for path in sorted(set(listed) - present)]
    problems += [f"{path}: not in the manifest" for path in sorted(present - set(listed) - {NAME, CHECKSUMS})]
    for path in sorted(set(listed) & present):
        problems += _compared(directory, listed[path], manifest, heard)
    return problems


def _compared(directory: Path, listed: File, manifest: Manifest, heard: Heard) -> list[str]:
    try:
        found = _examined(directory, listed.path, manifest, heard)
    except ExportError as error:
        return [str(error)]
    if found.sha256 != listed.sha256:
        return [f"{listed.path}: changed, its SHA-256 is {found.sha256[:12]}… and was {listed.sha256[:12]}…"]
    return differences(manifest, [found])


def _examined(directory: Path, path: str, manifest: Manifest, heard: Heard) -> File:
    kind, file = FOLDERS[path.split("/")[0]], directory / path
    read = {"flat": _flat_rows, "parquet": _parquet_rows, "dump": _dump_rows}[kind]
    return File(path, kind, file.stat().st_size, sha256(file, heard), read(file, manifest))


def _flat_rows(file: Path, manifest: Manifest) -> dict[str, int]:
    schema, rows = file.name.split("_")[0], {}
    try:
        with ZipFile(file) as archive:
            for name in archive.namelist():
                table = f"{schema}.{name.removesuffix('.txt')}"
                with archive.open(name) as member:
                    header = next(csv.reader([member.readline().decode()], delimiter="|"))
                    rows[table] = count_records(member)
                _same_columns(file, table, header, manifest)
    except UNREADABLE as error:
        raise ExportError(f"{file} is damaged: {error}") from error
    return rows


def _parquet_rows(file: Path, manifest: Manifest) -> dict[str, int]:
    """Every page is decoded, a slice at a time: a count from the footer alone would prove nothing.

    Slices that follow the file's size: where polars streams, it reads ahead by many row groups.
    """
    import polars as pl
    from polars.exceptions import PolarsError

    table = f"{file.parent.name}.{file.stem}"
    try:
        scan = pl.scan_parquet(file)
        schema = [f"{name} {kind}" for name, kind in scan.collect_schema().items()]
        told = scan.select(pl.len()).collect().item()
        slice_rows = min(max(told * SLICE // file.stat().st_size, LEAST_ROWS), MOST_ROWS)
        rows = sum(scan.slice(start, slice_rows).collect().height for start in range(0, told, slice_rows))
    except (PolarsError, OSError) as error:
        raise ExportError(f"{file} is damaged: {error}") from error
    _same_columns(file, table, schema, manifest, "{name} {parquet}")
    return {table: rows}


def _dump_rows(file: Path, _: Manifest) -> dict[str, int]:
    return dict(dump.count_rows(file))


def count_records(stream: IO[bytes]) -> int:
    """Records of CSV text: line ends outside of double quotes. A quote is always doubled inside, so parity tells."""
    records, outside = 0, True
    while block := stream.read(BLOCK):
        for number, piece in enumerate(block.split(b'"')):
            if number:
                outside = not outside
            if outside:
                records += piece.count(b"\n")
    return records


def _same_columns(file: Path, table: str, found: list[str], manifest: Manifest, shape: str = "{name}") -> None:
    if table not in manifest.rows:
        raise ExportError(f"{file} has a table {table} that is not in the manifest")
    meant = [shape.format(**column) for column in manifest.columns(table)]
    if found != meant:
        odd: Any = sorted(set(found) ^ set(meant)) or "their order"
        raise ExportError(f"{file}: the columns of {table} are not the manifest's: {odd}")


def _belongs(table: str, file: File) -> bool:
    schema, name = table.split(".", 1)
    if file.format == "flat":
        return file.path == f"{flat.FOLDER}/{flat.NAME.format(schema=schema)}"
    return file.format == "dump" or file.path == f"{parquet.FOLDER}/{schema}/{name}.parquet"


def _is_view(manifest: Manifest, table: str) -> bool:
    return any(t["table"] == table and t["kind"] not in "rp" for t in manifest.tables)


def _count(rows: int | None) -> str:
    return "none" if rows is None else f"{rows:,} rows"
