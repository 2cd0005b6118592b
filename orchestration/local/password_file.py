"""libpq's password file, where plain `dbt` and `psql` find the embedded server's password."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def password_file() -> Path:
    """The file that libpq reads: PGPASSFILE, else ~/.pgpass."""
    return Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")


def remember(file: Path, host: str, port: int, user: str, password: str) -> None:
    """Put the line for (`host`, `port`, any database, `user`) first in `file`, in place of an older one.

    First, because libpq takes the first line that fits, and a `*` line may come before. All other bytes stay as they
    are. The file is replaced in one step and readable to its owner only, without which libpq ignores it. A link is
    followed. Raises OSError where the file can't be written.
    """
    target = Path(os.path.realpath(file))
    key = f"{host}:{port}:*:{user}:".encode()
    with _only_one_writer(target.parent):
        old = target.read_bytes() if target.exists() else b""
        others = [line for line in old.splitlines(keepends=True) if not line.startswith(key)]
        new = key + password.encode() + b"\n" + b"".join(others)
        if new != old or target.stat().st_mode & 0o077:
            _replace(target, new)


@contextmanager
def _only_one_writer(directory: Path) -> Iterator[None]:
    """Hold the directory's own lock, so that servers that start together don't lose each other's line."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)  # 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists() and os.geteuid() == 0:
            owner = target.stat()  # root with a user's home, as under sudo
            os.chown(name, owner.st_uid, owner.st_gid)
        os.replace(name, target)
    except BaseException:  # an interrupt too must leave no copy of the passwords behind
        os.unlink(name)
        raise
