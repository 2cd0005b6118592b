"""Run a job in this process, event by event, recorded in Dagster like any run started from its UI."""

import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
from dagster import DagsterEvent, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from orchestration.settings import PROJECT_ROOT

MODULE = "orchestration.definitions"
JOB = "nightly_refresh"
PROCESS_TAG = "bioloupe/process"
UNFINISHED = [DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.CANCELING]


class RefreshRunning(Exception):
    """Another run of the job is at work; two at once would do the same twice."""


def create_run(instance: DagsterInstance, job: str = JOB, config: Mapping[str, Any] | None = None) -> DagsterRun:
    """Record a run of the job, the nightly one by default. Raises RefreshRunning while another one lives."""
    _settle_unfinished(instance, job)
    from orchestration.definitions import defs

    return instance.create_run_for_job(
        job_def=defs.resolve_job_def(job),
        tags={PROCESS_TAG: _this_process()},
        run_config={"loggers": {"console": {"config": {"log_level": "INFO"}}}, **(config or {})},
        job_code_origin=_job(job).get_python_origin(),
        remote_job_origin=_remote_origin(job),
    )


def events(run: DagsterRun, instance: DagsterInstance) -> Iterator[DagsterEvent]:
    """Execute the run in this process and yield its events as they happen."""
    yield from execute_run_iterator(_job(run.job_name), run, instance)


def _job(name: str) -> ReconstructableJob:
    return ReconstructableJob(ReconstructableRepository.for_module(MODULE, "defs", str(PROJECT_ROOT)), name)


def _settle_unfinished(instance: DagsterInstance, job: str = JOB) -> None:
    """Mark runs failed whose process died without a word; they would look alive for ever."""
    for run in instance.get_runs(RunsFilter(job_name=job, statuses=UNFINISHED)):
        process = run.tags.get(PROCESS_TAG)
        if process is None or _is_alive(process):
            where = f"process {process}" if process else "started from the UI or by the schedule"
            raise RefreshRunning(
                f"run {run.run_id[:8]} is at work ({where}). Wait for it, or end it: `bioloupe ui`, Runs, Terminate."
            )
        instance.report_run_failed(
            run, "The process of this run ended without finishing it: killed, or the machine was."
        )


def _this_process() -> str:
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.0f}"


def _is_alive(process: str) -> bool:
    """Whether the process that a tag names still runs; one of another host cannot be seen, so it counts as alive."""
    host, pid, created = process.split()
    if host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(created)) < 2
    except psutil.NoSuchProcess:
        return False


def _remote_origin(job: str) -> RemoteJobOrigin:
    """Tie the run to the code location that the UI loads, so that it can be looked at and run again from there."""
    target = LoadableTargetOrigin(module_name=MODULE, working_directory=str(PROJECT_ROOT))
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name="bioloupe")
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
