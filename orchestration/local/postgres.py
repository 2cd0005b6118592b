"""The embedded Postgres server: the default database where DATABASE_URL is not set.

    <home>/postgres/data     the cluster, its password in it (0600); complete from the moment it exists
    <home>/postgres/log      startup.log and the newest few log files
    <home>/postgres/lock     held while a command starts, stops or resets the server

Listens on 127.0.0.1 only, with a password, and goes on when the command that started it ends.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from orchestration.local.postgres_account import Account, belongs_to_another, choose
from orchestration.local.postgres_cluster import (
    USER,
    check_version,
    discard,
    initialise,
    password_of,
    programs,
    remove_leftovers,
    write,
)
from orchestration.local.postgres_config import (
    CONFIG_FILE,
    log_tail,
    prune_logs,
    render,
    server_settings,
    this_machine,
)
from orchestration.local.postgres_error import EmbeddedPostgresError
from orchestration.local.postgres_process import (
    POLL_SECONDS,
    Postmaster,
    clear_remains,
    find_postmaster,
    is_alive,
    port_holder,
    port_is_free,
    wait_gone,
)

__all__ = ["HOST", "USER", "EmbeddedPostgres", "EmbeddedPostgresError", "ServerStatus", "programs"]

HOST = "127.0.0.1"
READY_SECONDS = 600  # replaying the write-ahead log after a crash takes its time
STOP_SECONDS = 60
_LAUNCH = '"$@" </dev/null >"$0" 2>&1 & echo $!'


@dataclass(frozen=True)
class ServerStatus:
    """What `bioloupe db status` shows. `pid`, `started` (seconds since the epoch) are None for a stopped server."""

    running: bool
    initialised: bool
    port: int
    data: Path
    log: Path
    pid: int | None = None
    started: float | None = None
    state: str = "stopped"


class EmbeddedPostgres:
    """One server, its data below `home`, on `port` of 127.0.0.1. Any number of processes may use it at once."""

    def __init__(self, home: Path, port: int):
        self.home = home.resolve()
        self.root = self.home / "postgres"
        self.data = self.root / "data"
        self.log = self.root / "log"
        self.port = port
        self._file_lock = FileLock(self.root / "lock", timeout=READY_SECONDS + STOP_SECONDS)

    def url(self, database: str = "bioloupe") -> str:
        """The DSN of one of its databases, password included. Raises EmbeddedPostgresError before the first start."""
        return f"postgresql://{USER}:{self.password()}@{HOST}:{self.port}/{database}"

    def password(self) -> str:
        """The password of the role `bioloupe`. Raises EmbeddedPostgresError before the first start."""
        with self._explained():
            return password_of(self.data)

    def status(self) -> ServerStatus:
        """What runs now, and where."""
        with self._explained():
            found = find_postmaster(self.data)
            initialised = (self.data / "PG_VERSION").exists()
        if found is None:
            return ServerStatus(False, initialised, self.port, self.data, self.log)
        return ServerStatus(
            found.state == "ready",
            initialised,
            found.port,
            self.data,
            self.log,
            found.process.pid,
            found.started,
            found.state,
        )

    def start(self) -> None:
        """Make sure that the server runs and takes connections; nothing happens if it does.

        Raises EmbeddedPostgresError, with the remedy, if the port is taken, the data is another user's or another
        version's, or the server does not come up.
        """
        with self._explained():
            if not self._serves(find_postmaster(self.data)):
                with self._lock():
                    self._start_alone()
            prune_logs(self.log)

    def stop(self) -> bool:
        """Stop the server, ending its sessions; open transactions roll back. Returns False if none ran."""
        with self._explained():
            if not self.data.exists():
                return False
            with self._lock():
                return self._stop_alone()

    def reset(self) -> None:
        """Stop the server and remove all its data; the next start makes an empty one with a new password."""
        with self._explained():
            if not self.root.exists():
                return
            with self._lock():
                self._stop_alone()
                discard(self.data)

    def _serves(self, found: Postmaster | None) -> bool:
        if found is None or found.state != "ready":
            return False
        if found.port != self.port:
            raise EmbeddedPostgresError(
                f"the embedded Postgres in {self.root} runs on port {found.port}, not {self.port}: "
                f"set BIOLOUPE_DB_PORT={found.port}, or stop it first (`bioloupe db stop`)"
            )
        return True

    def _start_alone(self) -> None:
        found = find_postmaster(self.data)
        if found and found.state == "starting":
            return self._wait_ready(found.process)
        if self._serves(found):
            return None
        if found and not wait_gone(found.process, STOP_SECONDS):
            raise EmbeddedPostgresError(f"the embedded Postgres (pid {found.process.pid}) does not finish stopping")
        return self._launch(self._prepare())

    def _prepare(self) -> Account:
        """Everything a server needs before it can be launched: files that are whole, its own, and up to date."""
        clear_remains(self.data)
        remove_leftovers(self.root)
        owner = self.data.stat().st_uid if self.data.exists() else None
        account = choose(programs() / "postgres", self.root, owner)
        self._check_port()
        self.log.mkdir(mode=0o700, exist_ok=True)
        if owner is None:
            initialise(self.data, account)
        check_version(self.data, account)
        account.own(self.data)
        account.own(self.log)
        settings = server_settings(this_machine(self.root), self.port, self.log)
        write(account, self.data / CONFIG_FILE, render(settings))
        return account

    def _check_port(self) -> None:
        if not port_is_free(self.port):
            raise EmbeddedPostgresError(
                f"port {self.port} is taken by {port_holder(self.port)}: "
                "stop that, or set BIOLOUPE_DB_PORT to a free port"
            )

    def _launch(self, account: Account) -> None:
        startup_log, postgres = self.log / "startup.log", programs() / "postgres"
        started = account.run(["/bin/sh", "-c", _LAUNCH, startup_log, postgres, "-D", self.data])
        try:
            self._wait_ready(psutil.Process(int(started.stdout)))
        except (ValueError, psutil.NoSuchProcess):
            raise self._did_not_start() from None

    def _wait_ready(self, process: psutil.Process) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            alive = is_alive(process)
            found = find_postmaster(self.data)
            if self._serves(found):
                return
            if not alive:
                raise self._did_not_start()
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"the embedded Postgres is still not ready; see {self.log}")
            time.sleep(POLL_SECONDS)

    def _did_not_start(self) -> EmbeddedPostgresError:
        return EmbeddedPostgresError(f"the embedded Postgres did not start; it said:\n{log_tail(self.log)}")

    def _stop_alone(self) -> bool:
        found = find_postmaster(self.data)
        if found is None:
            clear_remains(self.data)
            return False
        for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10)):
            # Fast shutdown; where that hangs, immediate: the next start replays the log, so nothing is lost.
            try:
                found.process.send_signal(how)
            except psutil.NoSuchProcess:
                return True
            if wait_gone(found.process, seconds):
                return True
        raise EmbeddedPostgresError(f"the embedded Postgres (pid {found.process.pid}) does not stop; see {self.log}")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        if self.root.stat().st_uid == os.geteuid():
            self.root.chmod(0o711)  # `nobody` must get through to its data whatever the umask
        try:
            with self._file_lock:
                yield
        except Timeout:
            raise EmbeddedPostgresError(f"another command has held {self._file_lock.lock_file} for minutes") from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the file system or the process table refuses into words."""
        try:
            yield
        except (PermissionError, psutil.AccessDenied) as error:
            owner = _owner(self.root)
            if owner in (None, os.geteuid()):
                raise EmbeddedPostgresError(
                    f"the embedded Postgres may not use {self.root}: {error}; set BIOLOUPE_HOME to one of your own"
                ) from error
            raise EmbeddedPostgresError(belongs_to_another(self.root, owner)) from error
        except OSError as error:
            raise EmbeddedPostgresError(f"the embedded Postgres can't use {self.root}: {error}") from error


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None
