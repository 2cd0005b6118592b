"""The embedded Postgres's parts that need no server: sizing, configuration text, logs, accounts, pid files."""

import os
import re
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.local import postgres_account, postgres_config
from orchestration.local.postgres_account import NAMESPACE, Account, choose
from orchestration.local.postgres_config import GB, MB, Machine, prune_logs, render, server_settings, this_machine
from orchestration.local.postgres_error import EmbeddedPostgresError
from orchestration.local.postgres_process import find_postmaster


def _sizes(machine: Machine) -> dict[str, int]:
    """The settings that are sizes, in MB."""
    settings = server_settings(machine, 54329, Path("/log"))
    return {name: int(value[:-2]) for name, value in settings.items() if str(value).endswith("MB")}  # type: ignore[index]


def test_sizes_follow_the_machine() -> None:
    sizes = _sizes(Machine(24 * GB, 100 * GB, 12 * GB))
    assert sizes["shared_buffers"] == 3072
    assert sizes["effective_cache_size"] == 12288
    assert sizes["max_wal_size"] == 2048


@given(memory=st.integers(256 * MB, 4096 * GB), disk=st.integers(0, 100_000 * GB))
def test_no_machine_is_asked_for_too_much(memory: int, disk: int) -> None:
    sizes = _sizes(Machine(memory, disk, None))
    assert sizes["shared_buffers"] * MB <= memory // 4
    assert sizes["maintenance_work_mem"] * MB <= memory // 4
    assert 8 <= sizes["work_mem"] <= 128
    assert 128 <= sizes["max_wal_size"] <= 2048


@pytest.mark.parametrize(("size", "kind"), [(64 * MB, "mmap"), (12 * GB, None), (None, None)])
def test_a_small_dev_shm_is_left_alone(size: int | None, kind: str | None) -> None:
    settings = server_settings(Machine(8 * GB, 10 * GB, size), 54329, Path("/log"))
    assert settings.get("dynamic_shared_memory_type") == kind


def test_a_container_s_memory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, unlimited = tmp_path / "memory.max", tmp_path / "unlimited"
    limit.write_text(f"{200 * MB}\n")
    unlimited.write_text("max\n")
    monkeypatch.setattr(postgres_config, "_CGROUP_LIMITS", (str(limit), str(unlimited), str(tmp_path / "absent")))
    assert this_machine(tmp_path).memory == 200 * MB


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0")))
def test_a_value_comes_back_from_the_text(value: str) -> None:
    # Postgres's rules for a quoted value: '' is a quote, a backslash escapes.
    line = render({"name": value}).splitlines(keepends=True)[2:]
    match = re.fullmatch(r"name = '((?:[^'\\]|''|\\.)*)'\n", "".join(line), re.DOTALL)
    assert match is not None
    assert match[1].replace("''", "'").replace("\\\\", "\\") == value


def test_only_the_newest_logs_stay(tmp_path: Path) -> None:
    names = [f"postgres-202611{day:02}-000000.log" for day in range(1, 10)]
    for name in [*names, "startup.log"]:
        (tmp_path / name).touch()
    prune_logs(tmp_path)
    prune_logs(tmp_path / "absent")
    assert sorted(os.listdir(tmp_path)) == [*names[-5:], "startup.log"]


OWN = f"{os.getpid()}\n/data\n1\n54329\n"


@pytest.mark.parametrize("text", ["", "12", "x\ny\nz\n", OWN], ids=["empty", "number", "words", "own process"])
def test_a_pid_file_that_is_no_server_s(tmp_path: Path, text: str) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    assert find_postmaster(tmp_path) is None


def test_an_ordinary_user_runs_it_as_itself_and_no_other_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    monkeypatch.setattr(os, "getegid", lambda: 4243)
    assert choose(Path("/bin/true"), tmp_path, None) == Account(4242, 4243)
    with pytest.raises(EmbeddedPostgresError, match=r"belongs to user root: .*BIOLOUPE_HOME"):
        choose(Path("/bin/true"), tmp_path, 0)


@pytest.mark.parametrize(
    ("owner", "works", "chosen"),
    [
        (None, {"other", "namespace"}, "other"),
        (None, {"namespace"}, "namespace"),
        (0, {"other", "namespace"}, "namespace"),
        (0, {"other"}, "other"),
    ],
)
def test_root_prefers_what_leaves_files_as_they_are(
    monkeypatch: pytest.MonkeyPatch, owner: int | None, works: set[str], chosen: str
) -> None:
    def failure(account: Account, *_: object) -> str | None:
        return None if _kind(account) in works else "no"

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_account, "_failure", failure)
    assert _kind(choose(Path("postgres"), Path("/data"), owner)) == chosen


def test_root_without_a_way_is_told_all_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_account, "NAMESPACE", ("no-such-program",))
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)chmod o\+x.*BIOLOUPE_HOME.*DATABASE_URL"):
        choose(Path("/no/such/postgres"), Path("/"), None)


def _kind(account: Account) -> str:
    return "namespace" if account.prefix == NAMESPACE else "other"


def test_a_process_that_stands_elsewhere_is_no_server(tmp_path: Path) -> None:
    started = int(psutil.Process().create_time())
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n{started}\n54329\n\n127.0.0.1\n\nready\n")
    assert find_postmaster(tmp_path) is None
