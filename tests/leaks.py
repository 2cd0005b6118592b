"""Looks for secrets wherever a run may have left them: files, every table of a database, compressed or not."""

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from psycopg2 import sql

from orchestration.warehouse import connect

TABLES = "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema)'"


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, as a URL writes it, and as JSON does."""
    return {form.encode() for form in (secret, quote(secret, safe=""), secret.replace("\\", "\\\\"))}


def in_files(secrets: Iterable[str], directory: Path, but: Iterable[Path] = ()) -> list[str]:
    """'file: secret' for all files below `directory` that hold one, but for those in or at `but`."""
    forms, exempt = [spellings(s) for s in secrets], [path.resolve() for path in but]
    found = []
    for file in sorted(directory.rglob("*")):
        path = file.resolve()
        if file.is_file() and not any(path == e or e in path.parents for e in exempt):
            found += [f"{file}: {form.pop()!r}" for form in _held(forms, file.read_bytes())]
    return found


def in_database(secrets: Iterable[str], url: str) -> list[str]:
    """'table: secret' for all tables of a database that hold one, in text, bytes, or either compressed."""
    forms = [spellings(s) for s in secrets]
    found = []
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = cursor.fetchall()
        assert tables
        for table in tables:
            cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(*table)))
            for row in cursor:
                for value in row:
                    found += [f"{'.'.join(table)}: {form.pop()!r}" for form in _held(forms, _bytes(value))]
    return found


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()


def _held(forms: list[set[bytes]], content: bytes) -> Iterator[set[bytes]]:
    layers = list(_unpacked(content))
    for form in forms:
        if any(spelling in layer for spelling in form for layer in layers):
            yield set(form)


def _unpacked(content: bytes) -> Iterator[bytes]:
    """The content, and what it is if compressed: Dagster's snapshots by zlib, dlt's state by zlib in base64."""
    yield content
    for wrapped in (lambda: content, lambda: base64.b64decode(content, validate=True)):
        with suppress(zlib.error, binascii.Error):
            yield zlib.decompress(wrapped(), zlib.MAX_WBITS | 32)
