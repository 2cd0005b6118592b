"""Who holds the pools that a run needs, and which runs only look alive: what Dagster's daemon asks before it launches.

`bioloupe refresh` runs in its own process, past the queue, so it asks by itself.
"""

import os
import socket
from collections import Counter

import psutil
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, JobDefinition, RunsFilter

PROCESS_TAG = "bioloupe/process"
HOLDING = [
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.SUSPENDED,
    DagsterRunStatus.CANCELING,
]
_DIED = "The process of this run ended without finishing it: killed, or the machine was."


def settle(instance: DagsterInstance) -> list[DagsterRun]:
    """Mark as failed, and return, the runs whose process died without a word; they would look alive for ever."""
    dead = [run for run in _unfinished(instance) if _names_itself(run) and not _is_alive(run)]
    for run in dead:
        instance.report_run_failed(run, _DIED)
    return dead


def in_the_way(instance: DagsterInstance, job: JobDefinition) -> list[DagsterRun]:
    """The runs that hold pools which the job needs and which have no place left, and other runs of the job itself."""
    needed = {pool for node in job.nodes if (pool := getattr(node.definition, "pool", None))}
    holders = {run.run_id: (run, _pools(run) & needed) for run in _unfinished(instance)}
    held = Counter(pool for _, pools in holders.values() for pool in pools)
    limits = {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}
    default = instance.global_op_concurrency_default_limit or 1
    full = {pool for pool in needed if held[pool] >= limits.get(pool, default)}
    return [run for run, pools in holders.values() if pools & full or run.job_name == job.name]


def describe(run: DagsterRun) -> str:
    """A run as a person knows it: its id, its job, where it runs."""
    where = f"process {run.tags[PROCESS_TAG]}" if _names_itself(run) else "started from the UI or by the schedule"
    return f"run {run.run_id[:8]} of {run.job_name} is at work ({where.removesuffix(' ' + run.run_id)})"


def this_process(run_id: str) -> str:
    """The value of PROCESS_TAG: a run that is started anew from the UI inherits the tag, and must not be mistaken."""
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.0f} {run_id}"


def _unfinished(instance: DagsterInstance) -> list[DagsterRun]:
    """Runs at work, and those of a terminal that are about to be: nobody else starts a run right where it is made."""
    found = instance.get_runs(RunsFilter(statuses=[*HOLDING, DagsterRunStatus.NOT_STARTED]))
    return [run for run in found if run.status != DagsterRunStatus.NOT_STARTED or _names_itself(run)]


def _pools(run: DagsterRun) -> set[str]:
    return set(run.run_op_concurrency.all_pools or ()) if run.run_op_concurrency else set()


def _names_itself(run: DagsterRun) -> bool:
    return run.tags.get(PROCESS_TAG, "").endswith(f" {run.run_id}")


def _is_alive(run: DagsterRun) -> bool:
    """Whether the process that a tag names still runs; one of another host cannot be seen, so it counts as alive."""
    host, pid, created, _ = run.tags[PROCESS_TAG].split()
    if host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(created)) < 2
    except psutil.NoSuchProcess:
        return False
