"""Find, watch and end the processes of an embedded server, and name who holds its port.

A pid alone proves nothing: after a reboot another process has it. A process counts as the server only if it is a
`postgres` whose working directory is the data directory, which is where every Postgres process stands.
"""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from orchestration.local.postgres_error import EmbeddedPostgresError

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Postmaster:
    """A running server, as its `postmaster.pid` and the process table agree on it."""

    process: psutil.Process
    port: int
    state: str
    """`starting`, `ready` or `stopping`."""
    started: float
    """Seconds since the epoch."""


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on `data`, or None: no pid file, a stale one, or one that is being written.

    Raises PermissionError where the data directory is another user's.
    """
    try:
        lines = [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
        pid, started, port = int(lines[0]), float(lines[2]), int(lines[3])
        process = psutil.Process(pid)
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError, psutil.NoSuchProcess):
        return None
    if not _stands_in(process, data):
        return None
    return Postmaster(process, port, lines[7] if len(lines) > 7 else "starting", started)


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs; one that only waits for its parent to take note of its end does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(process: psutil.Process, seconds: float) -> bool:
    """Wait for the process to end. Returns whether it did."""
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def clear_remains(data: Path) -> None:
    """End what a killed postmaster left: its other processes first, then a pid file that names a stranger.

    A backend in a long query notices the death of its postmaster only when the query ends, and a new server refuses
    to start beside it. SIGQUIT makes it leave at once without touching data; the next start replays the log.
    Raises EmbeddedPostgresError if one stays.
    """
    orphans = list(_server_processes(data))
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.send_signal(signal.SIGQUIT)
    staying = [orphan.pid for orphan in orphans if not wait_gone(orphan, 10)]
    if staying:
        raise EmbeddedPostgresError(f"processes {staying} of an earlier server in {data} do not end")
    _remove_misleading_pid_file(data)


def _remove_misleading_pid_file(data: Path) -> None:
    """Remove a pid file whose pid is an unrelated process now, which Postgres would take for a server.

    Any other pid file is left to Postgres: it finds by it whether the old server's shared memory is still in use.
    """
    file = data / "postmaster.pid"
    with suppress(FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        if psutil.pid_exists(int(file.read_text().splitlines()[0])):
            file.unlink()


def _server_processes(data: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if _stands_in(process, data):
            yield process


def _stands_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and is_alive(process) and process.cwd() == str(data)
    except psutil.Error:
        return False


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As Postgres does: connections of an ended server that linger in TIME_WAIT don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


def port_holder(port: int) -> str:
    """Who listens on `port`, in words, as far as this user may know."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
            return _describe(connection.pid)
    return "a process of another user"


def _describe(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        if process.name() == "postgres":
            return f"the Postgres in {process.cwd()} (pid {pid})"
        return f"{process.name()} (pid {pid}: {' '.join(process.cmdline())[:120]})"
    except psutil.Error:
        return f"pid {pid}"
