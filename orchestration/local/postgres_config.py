"""Settings of the embedded server: what it may use of this machine, where it listens, where it logs.

Written to `bioloupe.conf` in the data directory at every start, so that a server follows its machine. What a person
sets with `ALTER SYSTEM` wins over this file.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1024 * 1024
GB = 1024 * MB
CONFIG_FILE = "bioloupe.conf"
LOG_PATTERN = "postgres-*.log"
KEPT_LOGS = 5

HBA = """\
# Password only, from this machine only. Written by bioloupe when the data directory was made.
host all all 127.0.0.1/32 scram-sha-256
"""

HEADER = """\
# Written by bioloupe at every start, sized to this machine: changes here are lost.
# To keep a setting of your own: ALTER SYSTEM SET work_mem = '256MB';
"""

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Machine:
    """What the server may count on, in bytes."""

    memory: int
    disk_free: int
    shared_memory_files: int | None
    """Size of /dev/shm; None where the system has none (macOS)."""


def this_machine(directory: Path) -> Machine:
    """The machine, or the container, that this process runs on; `directory` is where the data will be."""
    return Machine(
        memory=min([psutil.virtual_memory().total, *_container_limits()]),
        disk_free=shutil.disk_usage(directory).free,
        shared_memory_files=shutil.disk_usage("/dev/shm").total if os.path.isdir("/dev/shm") else None,
    )


def _container_limits() -> list[int]:
    limits = []
    for file in _CGROUP_LIMITS:
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text.isdigit():  # "max" where there is no limit
            limits.append(int(text))
    return limits


def server_settings(machine: Machine, port: int, log_directory: Path) -> dict[str, str | int]:
    """Every setting that differs from Postgres's own default, sizes in MB."""
    return {**_access(port), **_memory(machine), **_writing(machine), **_planning(), **_logging(log_directory)}


def _access(port: int) -> dict[str, str | int]:
    return {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        # Dagster's web server, daemon and run workers and dbt's threads each hold some.
        "max_connections": 200,
        # A query whose client was killed ends within seconds, instead of holding its locks against the next run.
        "client_connection_check_interval": "2s",
        "timezone": "UTC",
    }


def _memory(machine: Machine) -> dict[str, str | int]:
    # dbt, Dagster and the language model share this machine, so an eighth rather than the usual quarter.
    sizes: dict[str, str | int] = {
        "shared_buffers": _megabytes(machine.memory // 8, low=64, high=4096),
        "effective_cache_size": _megabytes(machine.memory // 2, low=256),
        "work_mem": _megabytes(machine.memory // 256, low=8, high=128),
        "maintenance_work_mem": _megabytes(machine.memory // 32, low=64, high=1024),
    }
    if machine.shared_memory_files is not None and machine.shared_memory_files < 512 * MB:
        # Docker's 64 MB /dev/shm is too small for parallel queries: they fail with "No space left on device".
        sizes["dynamic_shared_memory_type"] = "mmap"
    return sizes


def _writing(machine: Machine) -> dict[str, str | int]:
    return {
        # fsync, full_page_writes and synchronous_commit keep their defaults: what was committed stays.
        # Nothing replicates from here, and tables that are created and filled in one transaction skip the log.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": _megabytes(machine.disk_free // 20, low=128, high=2048),
        "checkpoint_timeout": "15min",
    }


def _planning() -> dict[str, str | int]:
    return {"jit": "off", "random_page_cost": "1.1"}


def _logging(directory: Path) -> dict[str, str | int]:
    return {
        "logging_collector": "on",
        "log_directory": str(directory),
        # A new name for each 10 MB and each week; all but the newest few are removed whenever a command starts or
        # finds the server (Postgres itself appends for ever to a file whose name comes round again).
        "log_filename": "postgres-%Y%m%d-%H%M%S.log",
        "log_rotation_size": "10MB",
        "log_rotation_age": "7d",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": -1,
        "log_line_prefix": "%m [%p] %u@%d %a ",
        # One failed statement of a bulk load has megabytes; its client has reported it.
        "log_min_error_statement": "fatal",
        "log_error_verbosity": "terse",
    }


def _megabytes(size: int, low: int, high: int | None = None) -> str:
    megabytes = max(size // MB, low)
    return f"{megabytes if high is None else min(megabytes, high)}MB"


def render(settings: Mapping[str, str | int]) -> str:
    """The text of a Postgres configuration file; values are quoted, so a path may hold anything but a newline."""
    return HEADER + "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


def _quoted(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def prune_logs(directory: Path) -> None:
    """Remove all but the newest log files, so that years of logs never fill the disk."""
    for old in sorted(directory.glob(LOG_PATTERN))[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)


def log_tail(directory: Path, lines: int = 15) -> str:
    """The end of what the server said last, for error messages: its start-up output and its newest log."""
    found = [directory / "startup.log", *sorted(directory.glob(LOG_PATTERN))[-1:]]
    texts = [file.read_text(errors="replace").splitlines()[-lines:] for file in found if file.is_file()]
    return "\n".join(f"  {line}" for text in texts for line in text)
