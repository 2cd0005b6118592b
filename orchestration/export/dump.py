"""A dump in pg_dump's custom format, of the same snapshot as the other files."""

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from orchestration.export.errors import ExportError, ExportInterrupted, no_space
from orchestration.export.options import Options
from orchestration.export.postgres_programs import connection, pg_dump_for, pg_restore
from orchestration.export.snapshot import LOCK_SECONDS, Snapshot
from orchestration.export.tables import HIDDEN

FOLDER = "dump"
NAME = "bioloupe.dump"
POLL_SECONDS = 0.1
_COPY, _END = b"COPY ", b"\\.\n"


def write_dump(
    snapshot: Snapshot, url: str, options: Options, directory: Path, heard: Callable[[int], None]
) -> list[str]:
    """Write dump/bioloupe.dump below `directory`; its path. `heard` is told of the bytes on disk so far.

    Raises ExportError where no pg_dump is new enough or the disk is full, ExportInterrupted where it failed.
    """
    program, _ = pg_dump_for(snapshot.server_version())
    path = directory / FOLDER / NAME
    path.parent.mkdir(exist_ok=True)
    dsn, environment = connection(url)
    command = [str(program), "--format=custom", "--no-password", f"--snapshot={snapshot.id}", f"--file={path}"]
    command += ["--no-privileges", f"--lock-wait-timeout={LOCK_SECONDS}s", f"--dbname={dsn}"]
    with _running([*command, *_selection(snapshot, options)], environment) as (process, errors):
        while process.poll() is None:
            heard(path.stat().st_size if path.exists() else 0)
            time.sleep(POLL_SECONDS)
        _judge(process.returncode, errors, directory)
        heard(path.stat().st_size)
    return [path.relative_to(directory).as_posix()]


def count_rows(path: Path) -> Counter[str]:
    """Rows per table of the dump at `path`, which is read to its end. Raises ExportError where it cannot be."""
    counts: Counter[str] = Counter()
    command = [str(pg_restore()), "--data-only", "--file=-", str(path)]
    with _running(command, None, stdout=subprocess.PIPE) as (process, errors):
        table = ""
        for line in process.stdout or ():
            if not table:
                # COPY ctgov.studies (nct_id, …) FROM stdin;   names are quoted where they need it
                if line.startswith(_COPY):
                    table = line[len(_COPY) :].split(b" (")[0].decode().replace('"', "")
                    counts[table] += 0
            elif line == _END:
                table = ""
            else:
                counts[table] += 1
        if process.wait() != 0:
            raise ExportError(f"pg_restore cannot read {path}: {_said(errors)}")
    return counts


def _selection(snapshot: Snapshot, options: Options) -> list[str]:
    """What to dump: whole schemas, so that they are created too; or just the tables that were asked for."""
    if options.tables:
        return [f'--table="{table.schema}"."{table.name}"' for table in snapshot.tables]
    return [f'--schema="{schema}"' for schema in options.schemas] + [f"--exclude-table={name}" for name in HIDDEN]


@contextmanager
def _running(
    command: list[str], environment: dict[str, str] | None, **options: Any
) -> "Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]":
    """Run a program; whatever happens here, it has ended when this is left."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            **{"stdout": subprocess.DEVNULL, **options},
        )
        try:
            yield process, errors
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _judge(code: int, errors: IO[bytes], directory: Path) -> None:
    if code == 0:
        return
    said = _said(errors)
    if "No space left on device" in said or "File too large" in said:
        raise ExportError(no_space(directory))
    if "permission denied" in said:
        raise ExportError(f"this user may not dump all of it: {said}")
    raise ExportInterrupted(f"pg_dump failed: {said or f'exit code {code}'}")


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    return " ".join(errors.read()[-2_000:].decode(errors="replace").split())
