"""Run a job in this process, event by event, recorded in Dagster like any run started from its UI."""

import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any, cast

import psutil
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    in_process_executor,
)
from dagster._core.definitions.job_base import IJob, InMemoryJob
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import MAX_RETRIES_TAG, MAX_RUNTIME_SECONDS_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from orchestration import run_queue
from orchestration.failures import INTERRUPTED, reason
from orchestration.meanwhile import meanwhile
from orchestration.run_queue import PROCESS_TAG
from orchestration.settings import PROJECT_ROOT, settings
from orchestration.warehouse import connect

MODULE = "orchestration.definitions"
JOB = "nightly_refresh"
LOOK_EVERY_SECONDS = 2.0
GRACE_SECONDS = 15.0
# Whoever sits at the terminal ends the run or starts it again; Dagster's daemon does neither.
TAGS = {MAX_RETRIES_TAG: "0", MAX_RUNTIME_SECONDS_TAG: "0"}
# Refreshes that start together take turns to look who is at work. Any number that nothing else locks would do.
_TURN = 2_946_107_733


class RefreshRunning(Exception):
    """A run is at work that writes what this one would write; two at once would do the same twice."""


def create_run(
    instance: DagsterInstance,
    dagster_url: str,
    job: str = JOB,
    config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> DagsterRun:
    """Record a run of the job, the nightly one by default. `dagster_url` is the DSN of Dagster's database.

    `tags` name the partitions of a partitioned job.

    Raises RefreshRunning while a run of the same job, or one that holds a pool which this one needs, is at work.
    """
    from orchestration.definitions import defs

    definition, run_id = defs.resolve_job_def(job), make_new_run_id()
    with _turn(dagster_url):
        if at_work := run_queue.in_the_way(instance, definition):
            raise RefreshRunning("; ".join(run_queue.describe(run) for run in at_work))
        return instance.create_run_for_job(
            job_def=definition,
            run_id=run_id,
            tags={**definition.tags, **(tags or {}), **TAGS, PROCESS_TAG: run_queue.this_process(run_id)},
            run_config={"loggers": {"console": {"config": {"log_level": "INFO"}}}, **(config or {})},
            job_code_origin=_job(job).get_python_origin(),
            remote_job_origin=_remote_origin(job),
        )


def events(run: DagsterRun, instance: DagsterInstance) -> Iterator[DagsterEvent]:
    """Execute the run in this process and yield its events as they happen. `Terminate` in the UI interrupts it.

    So does Ctrl-C, which Dagster takes for a failure in steps that have a retry policy: it would wait and try again.
    """
    with _heeding_termination(run, instance):
        stream = cast("Generator[DagsterEvent]", execute_run_iterator(_job_here(run.job_name), run, instance))
        for event in stream:
            if event.is_step_up_for_retry and reason(event) == INTERRUPTED:
                yield _failure(event, run, instance)
                yield stream.throw(DagsterExecutionInterruptedError())
            else:
                yield event


def _failure(retry: DagsterEvent, run: DagsterRun, instance: DagsterInstance) -> DagsterEvent:
    """Record that a step has failed, whose retry has been announced and is not to come."""
    event = retry._replace(
        event_type_value=DagsterEventType.STEP_FAILURE.value,
        event_specific_data=StepFailureData(retry.step_retry_data.error, None),  # type: ignore[no-untyped-call]
        message="Interrupted.",
    )
    instance.report_dagster_event(event, run.run_id)
    return event


def _job(name: str) -> ReconstructableJob:
    return ReconstructableJob(ReconstructableRepository.for_module(MODULE, "defs", str(PROJECT_ROOT)), name)


def _job_here(name: str) -> IJob:
    """The job with its steps in this process, whatever executor its runs have that Dagster launches."""
    job = _job(name)
    if settings().executor == "in_process":
        return job
    return InMemoryJob(job.get_definition().with_executor_def(in_process_executor))


@contextmanager
def _turn(dagster_url: str) -> Iterator[None]:
    with closing(connect(dagster_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (_TURN,))
        yield


def _heeding_termination(run: DagsterRun, instance: DagsterInstance) -> AbstractContextManager[None]:
    """Interrupt this process's main thread, as Ctrl-C would, once somebody has asked for the run's end."""

    def look(over: threading.Event) -> None:
        found = instance.get_run_by_id(run.run_id)
        if found is not None and found.status == DagsterRunStatus.CANCELING:
            # To that thread itself: it may be waiting for a subprocess, which only a signal of its own ends.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            if not over.wait(GRACE_SECONDS):
                _end_at_once(found, instance)

    return meanwhile(look, LOOK_EVERY_SECONDS)


def _end_at_once(run: DagsterRun, instance: DagsterInstance) -> None:
    """End this process and what it started. dagster-dbt's threads may wait for ever where an interrupt met them."""
    children = [child for child in psutil.Process().children(recursive=True) if child.name() != "postgres"]
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(children, timeout=5)[1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    instance.report_run_canceled(run, "Ended at once: the run did not heed its interruption.")
    os._exit(1)


def _remote_origin(job: str) -> RemoteJobOrigin:
    """Tie the run to the code location that the UI loads, so that it can be looked at and run again from there."""
    target = LoadableTargetOrigin(module_name=MODULE, working_directory=str(PROJECT_ROOT))
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name="bioloupe")
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
