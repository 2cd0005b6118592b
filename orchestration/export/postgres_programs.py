"""pg_dump and pg_restore: found here, and new enough for the server; run without a password on their command line."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from orchestration.database_url import password_apart
from orchestration.export.errors import ExportError
from orchestration.local.postgres import EmbeddedPostgresError, programs


def pg_dump_for(server: int) -> tuple[Path, str]:
    """A pg_dump for a server of that major version, and its version ("18.6"): an older one refuses to dump it.

    Raises ExportError, with the remedy, where none is new enough.
    """
    found = [(path, version(path)) for path in _candidates("pg_dump")]
    fitting = [(path, text) for path, text in found if major(text) >= server]
    if fitting:
        return fitting[0]
    seen = ", ".join(f"{text} ({path})" for path, text in found) or "none"
    raise ExportError(
        f"the server is Postgres {server}, and no pg_dump here is that new (found: {seen}). Install the client "
        f"programs of Postgres {server} or newer and put them on PATH (Debian: apt-get install "
        f"postgresql-client-{server}), or leave the dump out: --format flat,parquet"
    )


def pg_restore() -> Path:
    """The newest pg_restore here: it reads what any older pg_dump wrote. Raises ExportError where there is none."""
    found = sorted(_candidates("pg_restore"), key=lambda path: major(version(path)))
    if not found:
        raise ExportError("pg_restore is missing: install Postgres's client programs, or run `make setup`")
    return found[-1]


def version(program: Path) -> str:
    """What the program says of its version: "18.6"."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+(\.\d+)*", told)
    return match.group() if match else "0"


def major(text: str) -> int:
    """The major version of "18.6"."""
    return int(text.split(".")[0])


def connection(url: str) -> tuple[str, dict[str, str]]:
    """A DSN without its password, and the environment of a program that is given it."""
    bare, password = password_apart(url)
    return bare, {**os.environ, "PGPASSWORD": password} if password else dict(os.environ)


def _candidates(name: str) -> Iterator[Path]:
    try:
        own = programs() / name
        if os.access(own, os.X_OK):
            yield own
    except EmbeddedPostgresError:
        pass
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    # Where Debian puts each version's own programs.
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
