"""The directory that exports are published in.

    <directory>/20261123T033000Z/   one export: flat/, parquet/, dump/, manifest.json, SHA256SUMS
    <directory>/latest              a symbolic link to the newest
    <directory>/.partial-…          what is being written; readers never look there
    <directory>/.lock               held while an export is made

An export appears by one rename when it is whole, on disk and checked; then `latest` is replaced by another. Readers see
the old one or the new one. A reader that wants many files of one export resolves `latest` once.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.export.errors import ExportError, explained
from orchestration.export.manifest import NAME

LATEST = "latest"
PARTIAL, REMOVED = ".partial-", ".removed-"
STAMP = "%Y%m%dT%H%M%SZ"
_PUBLISHED = re.compile(r"^\d{8}T\d{6}Z(-\d+)?$")


class Shelf:
    """Where exports are published. Everything but `published` and `latest` needs the turn that `turn` gives."""

    def __init__(self, directory: Path):
        self.directory = directory

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the directory. Raises ExportError while another export is at work, or where it can't be written."""
        with explained(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.directory / ".lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise ExportError(self._at_work()) from None
        try:
            yield
        finally:
            lock.release()

    def begin(self, moment: datetime) -> Path:
        """Remove what killed exports left and make the directory that is written into."""
        with explained(self.directory):
            self._check_link()
            self.clean()
            partial = self.directory / f"{PARTIAL}{moment.strftime(STAMP)}"
            partial.mkdir()
            return partial

    def clean(self) -> None:
        """Remove what is unfinished: no export is at work, since we have the turn."""
        for leftover in [*self.directory.glob(f"{PARTIAL}*"), *self.directory.glob(f"{REMOVED}*")]:
            if leftover.is_symlink():
                leftover.unlink()
            else:
                shutil.rmtree(leftover)

    def publish(self, partial: Path) -> Path:
        """Let readers see a finished export: on disk first, then under its name, then as `latest`."""
        with explained(self.directory):
            for path in [*partial.rglob("*"), partial]:
                _sync(path)
            name = free = partial.name.removeprefix(PARTIAL)
            number = 1
            while (self.directory / free).exists():
                number += 1
                free = f"{name}-{number}"
            final = self.directory / free
            partial.rename(final)
            self._point_at(final)
            _sync(self.directory)
            return final

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest `keep` exports, never the one that `latest` is; the names of those removed."""
        latest = self.latest()
        old = [path for path in self.published()[:-keep] if path != latest]
        for path in old:
            # Under its own name it would be seen half gone.
            hidden = path.rename(self.directory / f"{REMOVED}{path.name}")
            shutil.rmtree(hidden)
        return [path.name for path in old]

    def published(self) -> list[Path]:
        """The published exports, oldest first. What else lies in the directory is left alone."""
        found = [path for path in self.directory.iterdir() if _PUBLISHED.match(path.name) and (path / NAME).is_file()]
        return sorted(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)])

    def latest(self) -> Path:
        """The newest published export. Raises ExportError where there is none."""
        link = self.directory / LATEST
        if not link.exists():
            raise ExportError(f"there is no published export in {self.directory}: `bioloupe export` makes one")
        return link.resolve()

    def _point_at(self, final: Path) -> None:
        link, aside = self.directory / LATEST, self.directory / f"{PARTIAL}{LATEST}"
        aside.unlink(missing_ok=True)
        aside.symlink_to(final.name)
        os.replace(aside, link)

    def _check_link(self) -> None:
        link = self.directory / LATEST
        if link.exists() and not link.is_symlink():
            raise ExportError(f"{link} is in the way, since it is no symbolic link: rename it, or export elsewhere")

    def _at_work(self) -> str:
        begun = [path.name.removeprefix(PARTIAL) for path in self.directory.glob(f"{PARTIAL}*")]
        since = f" (begun {begun[0]})" if begun else ""
        return f"another export{since} is at work in {self.directory}: wait for it, or export elsewhere (--to)"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
