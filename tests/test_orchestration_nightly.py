"""One refresh at a time, and none that is dead but looks alive."""

import os
import subprocess
import sys

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from orchestration import nightly
from orchestration.nightly import JOB, PROCESS_TAG, RefreshRunning


@pytest.fixture
def instance() -> DagsterInstance:
    return DagsterInstance.ephemeral()


def started(instance: DagsterInstance, process: str | None) -> DagsterRun:
    tags = {PROCESS_TAG: process} if process else {}
    return instance.add_run(DagsterRun(JOB, status=DagsterRunStatus.STARTED, tags=tags))


def status(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_whose_process_died_is_marked_as_failed(instance: DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        host = nightly._this_process().split()[0]
        tag = f"{host} {child.pid} {psutil.Process(child.pid).create_time():.0f}"
        run = started(instance, tag)
        with pytest.raises(RefreshRunning, match=run.run_id[:8]):
            nightly._settle_unfinished(instance)
        child.kill()
    nightly._settle_unfinished(instance)
    assert status(instance, run) == DagsterRunStatus.FAILURE


def test_another_process_with_the_same_number_is_not_the_run_s(instance: DagsterInstance) -> None:
    host = nightly._this_process().split()[0]
    run = started(instance, f"{host} {os.getpid()} 1000000000")
    nightly._settle_unfinished(instance)
    assert status(instance, run) == DagsterRunStatus.FAILURE


@pytest.mark.parametrize("process", [None, "elsewhere 1 1000000000"])
def test_a_run_of_the_ui_or_of_another_host_counts_as_alive(instance: DagsterInstance, process: str | None) -> None:
    run = started(instance, process)
    with pytest.raises(RefreshRunning):
        nightly._settle_unfinished(instance)
    assert status(instance, run) == DagsterRunStatus.STARTED
