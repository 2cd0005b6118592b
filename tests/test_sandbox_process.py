"""The sandbox as a process and as a command."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner

from ingest.sandbox.state import SandboxState
from orchestration.commands.sandbox import sandbox
from orchestration.local.sandbox import SandboxError, running_sandbox, state_path
from orchestration.settings import PROJECT_ROOT, Settings, settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a home of its own, with 40 studies."""
    monkeypatch.setenv("BIOLOUPE_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("BIOLOUPE_SANDBOX_STUDIES", "40")
    monkeypatch.setenv("BIOLOUPE_SANDBOX_SEED", "6")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


def test_a_running_sandbox_answers_notices_advance_and_ends(config: Settings) -> None:
    with running_sandbox(config) as url:
        assert httpx.get(f"{url}/studies?countTotal=true&fields=NCTId").json()["totalCount"] == 40
        port = httpx.URL(url).port
        assert port is not None
        advanced = CliRunner().invoke(sandbox, ["advance"])
        assert advanced.exit_code == 0, advanced.output
        assert "night 1 (2026-06-02)" in advanced.output
        assert httpx.get(f"{url}/version").json()["dataTimestamp"].startswith("2026-06-02")
        assert [child for child in psutil.Process().children() if "ingest.sandbox" in " ".join(child.cmdline())]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/version")
    with running_sandbox(config) as url:
        assert httpx.get(f"{url}/version").json()["dataTimestamp"].startswith("2026-06-02"), "the night is kept"
    assert SandboxState.load(state_path(config)) == SandboxState(40, 6, 1)


def test_another_registry_than_the_stored_one_is_started_and_said_so(
    config: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    SandboxState(99, 6, 4).save(state_path(config))
    with running_sandbox(config):
        pass
    assert "99 studies" in caplog.text
    assert SandboxState.load(state_path(config)) == SandboxState(40, 6, 0)


def test_a_sandbox_that_cannot_start_says_where_its_log_is(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match=r"exit code 1; its log: .*sandbox\.log"), running_sandbox(config):
        pass


PARENT = """
import os, sys
from orchestration.local.sandbox import running_sandbox
from orchestration.settings import settings
with running_sandbox(settings()) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def test_a_sandbox_does_not_outlive_a_parent_that_is_killed(config: Settings) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    (child,) = psutil.Process(parent.pid).children()
    assert httpx.get(f"{url}/version").is_success
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    child.wait(10)
    assert not child.is_running()


def test_serve_prints_the_address_and_serves_faults_and_replays(config: Settings, tmp_path: Path) -> None:
    records = tmp_path / "records.ndjson"
    records.write_text('{"protocolSection":{"identificationModule":{"nctId":"NCT00000001"}}}\n')
    command = [sys.executable, "-c", "from orchestration.cli import main; main()", "sandbox", "serve", "--port", "0"]
    arguments = ["--replay", str(records), "--fault-429", "1", "--requests-per-minute", "100"]
    server = subprocess.Popen([*command, *arguments], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert "1 studies" in server.stdout.readline()
        url = server.stdout.readline().strip().removeprefix("CTGOV_API_URL=")
        codes = [httpx.get(f"{url}/studies").status_code for _ in range(3)]
        assert codes == [429, 429, 200]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(10)


def test_serve_says_what_is_wrong(config: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(sandbox, ["serve", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "choose another with --port" in result.output
    broken = tmp_path / "broken.ndjson"
    broken.write_text("{")
    result = CliRunner().invoke(sandbox, ["serve", "--port", "0", "--replay", str(broken)])
    assert result.exit_code == 1
    assert "line 1" in result.output
    assert CliRunner().invoke(sandbox, ["serve", "--fault-429", "2"]).exit_code == 2


def test_advance_works_with_no_server_and_no_state(config: Settings) -> None:
    result = CliRunner().invoke(sandbox, ["advance", "--nights", "3"])
    assert result.exit_code == 0, result.output
    assert [line.split(" ")[1] for line in result.output.splitlines()] == ["1", "2", "3"]
    assert SandboxState.load(state_path(config)) == SandboxState(40, 6, 3)
