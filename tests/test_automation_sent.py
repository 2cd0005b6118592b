"""Alerts as they arrive: runs of a real instance, Apprise, a webhook on loopback, memory in Postgres."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    DagsterInstance,
    DagsterRunStatus,
    ExecuteInProcessResult,
    MaterializeResult,
    asset,
    materialize,
)
from dagster._core.test_utils import create_run_for_test

from orchestration.automation.alert_memory import turn
from orchestration.automation.alert_sensors import tell_of
from orchestration.automation.alerts import Decision, Findings, Problem
from orchestration.automation.notify import notify
from orchestration.drill.receiver import Receiver
from orchestration.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(credentials="watcher:top-secret-token", path="/hooks/another-secret")
    yield receiver
    receiver.close()


@pytest.fixture
def config(receiver: Receiver, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_DATABASE_URL", warehouse_url)
    return Settings(BIOLOUPE_ALERT_URLS=receiver.url, BIOLOUPE_UI_URL="http://ui:1/", _env_file=None)  # type: ignore[call-arg]


CHECK = AssetCheckSpec("no_gaps", asset=["enrichment", "stop_reasons"])


class House:
    """An asset that fails for a reason, and its check; each night is a run that is told of twice."""

    def __init__(self, config: Settings):
        self.config, self.instance = config, DagsterInstance.ephemeral()

    def night(self, error: str = "", rows: int = 0, unread: int = 0) -> ExecuteInProcessResult:
        @asset(key=["enrichment", "stop_reasons"], check_specs=[CHECK])
        def stop_reasons() -> MaterializeResult:  # type: ignore[type-arg]
            if error:
                raise OSError(error)
            check = AssetCheckResult(
                check_name="no_gaps", passed=not rows, severity=AssetCheckSeverity.ERROR, description=f"{rows} gaps"
            )
            return MaterializeResult(metadata={"unread": unread, "calls": 3}, check_results=[check])

        result = materialize([stop_reasons], instance=self.instance, raise_on_error=False)
        for _ in range(2):  # daemon and terminal both see the run end
            tell_of(self.instance, result.run_id, self.config)
        return result


def test_a_failure_is_told_once_and_its_recovery_once(config: Settings, receiver: Receiver) -> None:
    house = House(config)
    run = house.night(error="disk full\nat /data")
    (message,) = receiver.messages
    assert message["title"] == "bioloupe: failed: enrichment/stop_reasons"
    assert message["message"].splitlines()[0] == "enrichment/stop_reasons: disk full at /data"
    assert message["message"].endswith(f"http://ui:1/runs/{run.run_id}")
    assert message["type"] == "failure"
    house.night(error="disk full\nat /data")
    assert len(receiver.messages) == 1
    house.night()
    house.night()
    assert [m["title"] for m in receiver.messages[1:]] == ["bioloupe: works again: enrichment/stop_reasons"]
    assert receiver.messages[1]["type"] == "success"


def test_failed_checks_and_unread_texts_of_a_run_that_succeeded_are_told(config: Settings, receiver: Receiver) -> None:
    house = House(config)
    assert house.night(rows=4, unread=1200).success
    lines = receiver.messages[0]["message"].splitlines()
    assert "check enrichment/stop_reasons: no_gaps: 4 gaps" in lines
    assert any("1,200 texts stay unread: the budget of calls is spent (3 were made)" in line for line in lines)
    house.night(rows=9, unread=800)
    assert len(receiver.messages) == 1
    house.night()
    assert receiver.messages[1]["title"].startswith("bioloupe: works again: ")


def test_what_no_target_took_is_told_by_the_next_run(
    config: Settings, receiver: Receiver, warehouse_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Receiver(status=500)
    down = config.model_copy(update={"alert_urls": type(config.alert_urls)(broken.url)})  # type: ignore[misc]
    found = Findings([Problem("raw_ctgov/studies", "no answer")])
    (delivery,) = notify(down, warehouse_url, found, "run 1", "link", "1")
    broken.close()
    assert "500" in delivery.error
    assert "secret" not in delivery.error + caplog.text
    assert [d.error for d in notify(config, warehouse_url, found, "run 2", "link", "2")] == [""]
    assert len(receiver.messages) == 1


def test_a_process_that_dies_in_its_turn_leaves_the_run_to_others(warehouse_url: str) -> None:
    code = (
        "import os, signal, sys\nfrom orchestration.automation.alert_memory import turn\n"
        "with turn(sys.argv[1], 'a run') as memory:\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[1]
    died = subprocess.run([sys.executable, "-c", code, warehouse_url], cwd=root, env=os.environ, check=False)
    assert died.returncode == -signal.SIGKILL
    with turn(warehouse_url, "a run") as memory:
        assert memory is not None
        assert memory.known == {}
    with turn(warehouse_url, "a run") as memory:
        assert memory is None


def test_memory_forgets_what_has_recovered(warehouse_url: str) -> None:
    problem = Problem("a", "b")
    now = datetime(2026, 6, 1, tzinfo=timezone.utc) + timedelta(days=3650)
    with turn(warehouse_url) as memory:
        assert memory is not None
        memory.keep(Decision([problem]), now)
    with turn(warehouse_url) as memory:
        assert memory is not None
        assert list(memory.known) == ["a"]
        memory.keep(Decision([], ["a"]), now)
    with turn(warehouse_url) as memory:
        assert memory is not None
        assert memory.known == {}


def test_a_run_whose_process_died_is_told_with_what_is_known_of_it(config: Settings, receiver: Receiver) -> None:
    instance = DagsterInstance.ephemeral()
    run = create_run_for_test(instance, job_name="nightly_refresh", status=DagsterRunStatus.STARTED)
    instance.report_run_failed(run, "The process of this run ended without finishing it.")
    tell_of(instance, run.run_id, config)
    (message,) = receiver.messages
    assert message["message"].startswith("job nightly_refresh: The process of this run ended without finishing it.")
