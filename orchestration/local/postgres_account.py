"""Who runs the embedded server. Postgres refuses root, yet containers and fresh machines often have nobody else.

An ordinary user runs it as itself. Root runs it as the user that owns the data directory, or as `nobody` where that
user can reach the programs and the directory, or else in a user namespace in which root has an ordinary number: then
the files stay root's, and a home below /root works too.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.local.postgres_error import EmbeddedPostgresError

NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_PROBE = 'test -x "$1" && cd "$1" && exec "$2" --version'


@dataclass(frozen=True)
class Account:
    """How programs of the server are started, and who must own its files."""

    uid: int
    gid: int
    switches: bool = False
    """Whether this process, root, takes on `uid`."""
    prefix: tuple[str, ...] = ()

    def run(self, command: Sequence[str | Path], **options: object) -> "subprocess.CompletedProcess[str]":
        """Run a program of the server as this account, in a session of its own and a neutral environment."""
        who = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switches else {}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [*self.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            cwd="/",  # this process's own directory may be closed to that user
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
            **{"capture_output": True, **who, **options},
        )

    def own(self, tree: Path) -> None:
        """Give `tree` to this account, where it is someone else's. Only for a server that does not run."""
        if tree.stat().st_uid == self.uid:
            return
        for directory, _, files in os.walk(tree, topdown=False):  # the top last: a kill half-way is made good
            for name in files:
                os.chown(os.path.join(directory, name), self.uid, self.gid, follow_symlinks=False)
            os.chown(directory, self.uid, self.gid, follow_symlinks=False)


def choose(postgres: Path, directory: Path, owner: int | None) -> Account:
    """The account to run `postgres` with, for data below `directory` that `owner` (a uid, None: no data yet) has.

    Raises EmbeddedPostgresError where this process may not touch the data, or root finds no way.
    """
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise EmbeddedPostgresError(belongs_to_another(directory, owner))
        return Account(os.geteuid(), os.getegid())
    failures = []
    for account in _candidates(owner):
        failure = _failure(account, postgres, directory)
        if failure is None:
            return account
        failures.append(failure)
    raise EmbeddedPostgresError(
        "Postgres refuses to run as root, and no other way works here:\n  "
        + "\n  ".join(failures)
        + f"\nRun this as an ordinary user, or let others pass through the directories above {directory} and "
        f"{postgres.parent} (chmod o+x), or choose another BIOLOUPE_HOME, or set DATABASE_URL."
    )


def belongs_to_another(directory: Path, owner: int | None) -> str:
    """What to tell a user who meets the data directory of another."""
    name = "another user" if owner is None else _name(owner)
    return (
        f"the embedded Postgres in {directory} belongs to {name}: run this as {name}, "
        "or set BIOLOUPE_HOME to a directory of your own (and BIOLOUPE_DB_PORT to a free port)."
    )


def _candidates(owner: int | None) -> Iterator[Account]:
    """Root's possibilities, the one that leaves existing files as they are first."""
    namespace = Account(0, 0, prefix=NAMESPACE)
    if owner:
        yield Account(owner, _group(owner), switches=True)
    if owner == 0:
        yield namespace
    try:
        nobody = pwd.getpwnam("nobody")
        yield Account(nobody.pw_uid, nobody.pw_gid, switches=True)
    except KeyError:
        pass
    if owner != 0:
        yield namespace


def _failure(account: Account, postgres: Path, directory: Path) -> str | None:
    """Why `account` can't run `postgres` on `directory`; None where it can. Tried, not guessed from modes."""
    who = "in a user namespace" if account.prefix else f"as {_name(account.uid)}"
    try:
        done = account.run(["/bin/sh", "-c", _PROBE, "probe", directory, postgres])
    except (OSError, subprocess.SubprocessError) as error:
        return f"{who}: {error}"
    return None if done.returncode == 0 else f"{who}: {done.stderr.strip() or f'{directory} is out of reach'}"


def _group(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
