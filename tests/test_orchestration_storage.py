"""The storage that dagster.yaml names, on a real Postgres: connections are kept, and replaced when they break."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from orchestration.runtime import INSTANCE_CONFIG
from orchestration.warehouse import query

pytestmark = pytest.mark.integration
SESSIONS = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.fixture
def instance(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("DAGSTER_DATABASE_URL", warehouse_url)
    shutil.copy(INSTANCE_CONFIG, tmp_path)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def write_events(instance: DagsterInstance, count: int) -> None:
    for number in range(count):
        instance.report_engine_event(f"event {number}", job_name="nightly_refresh", run_id="0" * 8)


def test_events_runs_and_schedules_share_one_connection(instance: DagsterInstance, warehouse_url: str) -> None:
    write_events(instance, 1)
    sessions = query(warehouse_url, SESSIONS)
    assert len(sessions) == 1
    write_events(instance, 20)
    assert instance.get_runs() == []
    assert list(instance.all_instigator_state()) == []
    assert query(warehouse_url, SESSIONS) == sessions
    assert len(instance.all_logs("0" * 8)) == 21


def test_a_connection_that_broke_is_replaced_and_no_event_is_lost(
    instance: DagsterInstance, warehouse_url: str
) -> None:
    write_events(instance, 1)
    sessions = query(warehouse_url, SESSIONS)
    query(warehouse_url, f"select pg_terminate_backend(pid) from ({SESSIONS}) as open")
    write_events(instance, 1)
    assert query(warehouse_url, SESSIONS) != sessions
    assert len(instance.all_logs("0" * 8)) == 2
