"""Refreshes take turns, and none that is dead but looks alive keeps another waiting."""

import os
import subprocess
import sys

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, JobDefinition, job, op
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._core.utils import make_new_run_id

from orchestration import run_queue
from orchestration.nightly import _remote_origin
from orchestration.run_queue import PROCESS_TAG, in_the_way, settle

STARTED, FAILED = DagsterRunStatus.STARTED, DagsterRunStatus.FAILURE


@pytest.fixture
def instance() -> DagsterInstance:
    return DagsterInstance.ephemeral()


def add(
    instance: DagsterInstance,
    process: str | None = None,
    status: DagsterRunStatus = STARTED,
    pool: str = "warehouse",
) -> DagsterRun:
    """A run of this status that holds a pool; `{}` in `process` becomes its id."""
    run_id = make_new_run_id()
    return instance.add_run(
        DagsterRun(
            "nightly_refresh",
            run_id,
            status=status,
            tags={PROCESS_TAG: process.format(run_id)} if process else {},
            run_op_concurrency=RunOpConcurrency(
                root_key_counts={}, has_unconstrained_root_nodes=False, all_pools={pool}
            ),
            remote_job_origin=_remote_origin("nightly_refresh"),
        )
    )


def status(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def writer() -> JobDefinition:
    @op(pool="warehouse")
    def write() -> None:
        pass

    @job
    def writes() -> None:
        write()

    return writes


HOST = run_queue.this_process("").split()[0]


def test_a_run_whose_process_died_is_marked_as_failed(instance: DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        run = add(instance, f"{HOST} {child.pid} {psutil.Process(child.pid).create_time():.0f} {{}}")
        assert settle(instance) == []
        assert [found.run_id for found in in_the_way(instance, writer())] == [run.run_id]
        child.kill()
    assert [dead.run_id for dead in settle(instance)] == [run.run_id]
    assert status(instance, run) == FAILED
    assert in_the_way(instance, writer()) == []


def test_another_process_with_the_same_number_is_not_the_run_s(instance: DagsterInstance) -> None:
    run = add(instance, f"{HOST} {os.getpid()} 1000000000 {{}}")
    settle(instance)
    assert status(instance, run) == FAILED


@pytest.mark.parametrize("process", [None, "elsewhere 1 1000000000 {}", f"{HOST} 1 1000000000 of-the-run-it-repeats"])
def test_a_run_that_cannot_be_seen_counts_as_alive(instance: DagsterInstance, process: str | None) -> None:
    run = add(instance, process)
    assert settle(instance) == []
    assert in_the_way(instance, writer()) == [instance.get_run_by_id(run.run_id)]


def test_runs_without_a_common_pool_run_side_by_side(instance: DagsterInstance) -> None:
    add(instance, pool="reports")
    assert in_the_way(instance, writer()) == []


def test_a_job_runs_once_at_a_time_with_or_without_pools(instance: DagsterInstance) -> None:
    @job
    def nightly_refresh() -> None:
        pass

    add(instance, pool="reports")
    assert len(in_the_way(instance, nightly_refresh)) == 1


def test_a_pool_with_two_places_takes_two_runs(instance: DagsterInstance) -> None:
    instance.event_log_storage.set_concurrency_slots("warehouse", 2)
    add(instance)
    assert in_the_way(instance, writer()) == []
    add(instance)
    assert len(in_the_way(instance, writer())) == 2


def test_what_is_only_queued_holds_nothing_but_a_terminal_s_run_does_before_it_starts(
    instance: DagsterInstance,
) -> None:
    add(instance, status=DagsterRunStatus.QUEUED)
    add(instance, status=DagsterRunStatus.NOT_STARTED)
    assert in_the_way(instance, writer()) == []
    mine = run_queue.this_process("{}")
    add(instance, mine, DagsterRunStatus.NOT_STARTED)
    assert len(in_the_way(instance, writer())) == 1
