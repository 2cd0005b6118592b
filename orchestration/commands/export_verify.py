"""What `bioloupe export verify` does and says."""

import sys
import time
from pathlib import Path

import click

from orchestration.export.check import verify
from orchestration.export.manifest import NAME, Manifest, read_manifest
from orchestration.export.publish import Shelf
from orchestration.wording import counted

TELL_EVERY_SECONDS = 1.0


def verify_and_show(directory: Path) -> bool:
    """Check the export at `directory`, or the latest one in it. Whether all is as published. Raises ExportError."""
    export = directory.resolve() if (directory / NAME).exists() else Shelf(directory).latest()
    manifest = read_manifest(export)
    click.echo(
        f"{export}\n  registry of {manifest.registry_timestamp or 'an unknown date'}, made {manifest.created_at}"
    )
    problems = verify(export, manifest, _Told(sum(file.bytes for file in manifest.files)))
    for problem in problems:
        click.echo(f"  {problem}", err=True)
    if problems:
        click.echo(f"{len(problems)} of its files are not as published: export again, or take an older one", err=True)
    else:
        click.echo(f"  as published: {_content(manifest)}")
    return not problems


def _content(manifest: Manifest) -> str:
    size = sum(file.bytes for file in manifest.files) / 1e6
    files, tables = counted(len(manifest.files), "file"), counted(len(manifest.tables), "table")
    return f"{files}, {size:,.1f} MB, {tables}, {sum(manifest.rows.values()):,} rows, every checksum and row count"


class _Told:
    """How much has been read, once a second, where a person watches."""

    def __init__(self, total: int):
        self._total, self._read = total, 0
        self._told = time.monotonic()

    def __call__(self, read: int) -> None:
        self._read += read
        if sys.stderr.isatty() and time.monotonic() - self._told > TELL_EVERY_SECONDS:
            self._told = time.monotonic()
            click.echo(f"  {self._read / 1e6:,.0f} of {self._total / 1e6:,.0f} MB\r", nl=False, err=True)
