"""One export from its first lock to its publication. Each method is one step; whoever orchestrates calls them in turn.

    with Export(url, options, run_id) as export:
        export.begin(heard)
        export.write_dump(heard); export.write_flat_files(heard); export.write_parquet(heard)
        manifest = export.check(paths, heard)
        published = export.publish(manifest)

A step that failed may be called again as long as the export is open. Closing it removes what was not published.
"""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from psycopg2 import sql

from orchestration.export import dump, flat, parquet
from orchestration.export.check import Heard, differences, examine
from orchestration.export.errors import ExportError, explained
from orchestration.export.manifest import Manifest, described
from orchestration.export.options import Options, chosen_tables
from orchestration.export.postgres_programs import pg_dump_for
from orchestration.export.publish import Shelf
from orchestration.export.snapshot import Snapshot


@dataclass(frozen=True)
class Published:
    """Where an export is, and which older ones it replaced."""

    path: Path
    pruned: list[str]


class Export:
    """One export of the database at `url`. Raises ExportError and ExportInterrupted throughout."""

    def __init__(self, url: str, options: Options, run_id: str):
        self.options = options
        self._url, self._run_id = url, run_id
        self._shelf = Shelf(options.directory)
        self._open = ExitStack()
        self._snapshot: Snapshot | None = None
        self._partial: Path | None = None

    def __enter__(self) -> "Export":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of database and directory, and remove what was not published. May be called twice."""
        self._open.close()

    def begin(self, heard: Callable[[int], None]) -> dict[str, int]:
        """Hold the directory, take the snapshot and count its rows, of which `heard` is told: rows per table."""
        self._open.close()
        self._open.enter_context(self._shelf.turn())
        self._snapshot = Snapshot(self._url, self.options.schemas, lambda found: chosen_tables(found, self.options))
        self._open.callback(self._snapshot.close)
        if "dump" in self.options.formats:
            pg_dump_for(self._snapshot.server_version())  # better known before an hour's work
        self._partial = self._shelf.begin(self._snapshot.taken_at)
        self._open.callback(self._discard)
        self._count(self._snapshot, heard)
        return {table.full_name: table.rows for table in self._snapshot.tables}

    def write_flat_files(self, heard: Callable[[int], None]) -> list[str]:
        """Write the flat files; `heard` is told of rows as they come. The paths, relative to the export."""
        return self._fresh(flat.FOLDER, lambda to: flat.write_flat_files(self.snapshot, to, heard))

    def write_parquet(self, heard: Callable[[int], None]) -> list[str]:
        """Write the Parquet files; `heard` is told of rows as they come. The paths, relative to the export."""
        return self._fresh(parquet.FOLDER, lambda to: parquet.write_parquet(self.snapshot, to, heard))

    def write_dump(self, heard: Callable[[int], None]) -> list[str]:
        """Write the dump; `heard` is told of its size in bytes. Its path, relative to the export."""
        return self._fresh(dump.FOLDER, lambda to: dump.write_dump(self.snapshot, self._url, self.options, to, heard))

    def check(self, paths: list[str], heard: Heard) -> Manifest:
        """Read all files back and compare them with the snapshot; `heard` is told of bytes read.

        Raises ExportError where a file does not hold what the snapshot does.
        """
        manifest = Manifest(
            created_at=self.snapshot.taken_at.isoformat(),
            registry_timestamp=self.snapshot.registry_timestamp(),
            versions=self._versions(),
            run_id=self._run_id,
            tables=[described(table) for table in self.snapshot.tables],
        )
        with explained(self.options.directory):
            files = examine(self.partial, paths, manifest, heard)
        wrong = differences(manifest, files)
        if wrong:
            raise ExportError("the files do not hold what the snapshot does: " + "; ".join(wrong))
        return replace(manifest, files=files)

    def publish(self, manifest: Manifest) -> Published:
        """Write the manifest, let readers see the export, remove the oldest ones."""
        with explained(self.options.directory):
            manifest.write(self.partial)
            path = self._shelf.publish(self.partial)
            return Published(path, self._shelf.prune(self.options.keep))

    def size(self, paths: list[str]) -> int:
        """Bytes of those files."""
        return sum((self.partial / path).stat().st_size for path in paths)

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise ExportError("the export was not begun in this process: run all of its steps, in one process")
        return self._snapshot

    @property
    def partial(self) -> Path:
        if self._partial is None:
            raise ExportError("the export was not begun in this process: run all of its steps, in one process")
        return self._partial

    def _count(self, snapshot: Snapshot, heard: Callable[[int], None]) -> None:
        counted = []
        with snapshot.reader() as cursor:
            for table in snapshot.tables:
                cursor.execute(sql.SQL("select count(*) from {}").format(table.identifier))
                counted.append(replace(table, rows=cursor.fetchall()[0][0]))
                heard(counted[-1].rows)
        snapshot.tables = counted

    def _fresh(self, folder: str, write: Callable[[Path], list[str]]) -> list[str]:
        """Write into a folder that holds nothing of an attempt that failed."""
        with explained(self.options.directory):
            shutil.rmtree(self.partial / folder, ignore_errors=True)
            return write(self.partial)

    def _versions(self) -> dict[str, str]:
        found = {"bioloupe-data": version("bioloupe-data"), "postgres": str(self.snapshot.server_version())}
        if "parquet" in self.options.formats:
            found["polars"] = version("polars")
        if "dump" in self.options.formats:
            found["pg_dump"] = pg_dump_for(self.snapshot.server_version())[1]
        return found

    def _discard(self) -> None:
        shutil.rmtree(self.partial, ignore_errors=True)
