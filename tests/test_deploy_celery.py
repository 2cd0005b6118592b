"""Two Celery workers on a real Redis: one is killed in the middle, and nothing is lost, doubled, or left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_ROOT, settings
from orchestration.warehouse import ensure, query
from tests.conftest import free_port

pytestmark = pytest.mark.integration
QUEUES = ("--queue", "dagster", "--queue", "warehouse")
PATIENCE = 120.0  # on a busy machine only that it happens counts, not when


@contextmanager
def started(*command: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own group, which is killed whole at the end, whatever has become of the test."""
    with open(log, "ab") as output:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def diary(own_settings: None, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A Redis, and settings that lead to it; yields the URL of a database with an empty diary."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server on the PATH (Debian: apt install redis-server)")
    port = free_port()
    for name in ("DATABASE_URL", "DAGSTER_DATABASE_URL"):
        monkeypatch.setenv(name, warehouse_url)
    monkeypatch.setenv("BIOLOUPE_EXECUTOR", "celery")
    monkeypatch.setenv("BIOLOUPE_CELERY_BROKER_URL", f"redis://127.0.0.1:{port}/0")
    monkeypatch.setenv("BIOLOUPE_CELERY_LOST_AFTER", "6")
    settings.cache_clear()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    with started(server, *options, log=tmp_path / "redis.log"):
        ensure(settings())
        query(warehouse_url, "create table diary (step text, what text, worker int); select 1")
        yield warehouse_url


@contextmanager
def workers(count: int, folder: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    command = [sys.executable, "-m", "orchestration", "serve", "worker", *QUEUES]
    with ExitStack() as stack:
        yield [stack.enter_context(started(*command, log=folder / f"worker-{n}.log")) for n in range(count)]


def told(url: str, step: str) -> list[tuple[str, int]]:
    return query(url, "select what, worker from diary where step = %s", (step,))


def wait_until(true: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up, f"still waiting: {what}"
        time.sleep(0.2)


def run(name: str, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.celery_job", name]
    with open(folder / f"{name}.log", "wb") as log:
        return subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=log, stderr=log)


def test_a_killed_worker_s_step_goes_on_elsewhere_and_a_cancelled_run_s_step_ends(diary: str, tmp_path: Path) -> None:
    with workers(2, tmp_path) as both:
        survivor = run("survives", tmp_path)
        steps = ("hangs_at_first", "outlasts_the_lease")
        wait_until(lambda: all(told(diary, step) for step in steps), "both steps begun")
        killed = told(diary, "hangs_at_first")[0][1]
        assert {worker.pid for worker in both} == {killed, told(diary, "outlasts_the_lease")[0][1]}
        os.kill(killed, signal.SIGKILL)
        assert survivor.wait(PATIENCE) == 0, (tmp_path / "survives.log").read_text()[-2000:]
        (other,) = {worker.pid for worker in both} - {killed}
        assert told(diary, "hangs_at_first") == [("begun", killed), ("begun", other), ("done", other)]
        assert told(diary, "outlasts_the_lease") == [("begun", other), ("done", other)]

        cancelled = run("is_cancelled", tmp_path)
        wait_until(lambda: told(diary, "never_ends") == [("begun", other)], "a step that never ends")
        query(diary, "update runs set status = 'CANCELING' where pipeline_name = 'is_cancelled' returning 1")
        wait_until(lambda: told(diary, "never_ends")[1:] == [("interrupted", other)], "its interruption")
        assert cancelled.wait(PATIENCE) != 0
