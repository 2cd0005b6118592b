"""Tasks that a worker holds by a lease: who lives renews it, who died loses it, and nobody runs one twice at a time.

Redis hands a task to another worker once the one that took it has been silent for the visibility timeout, whether it
died or is merely at work. So a short timeout runs long steps twice, and a long one leaves a dead worker's steps lying
for hours. Here the timeout is short, a worker at work renews its lease, and a session lock in Postgres, which goes with
the process, keeps a worker that only Redis has lost sight of from being doubled.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from celery import Task
from celery.exceptions import Reject
from celery.result import allow_join_result
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._grpc.types import ExecuteRunArgs, ExecuteStepArgs
from dagster._serdes import unpack_value
from redis import Redis
from redis.exceptions import RedisError

from orchestration.meanwhile import meanwhile
from orchestration.warehouse import connect

UNACKED = "unacked_index"  # where kombu keeps, by delivery tag, when a task was taken
LOOK_EVERY_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 5.0
# First half of the locks' names; any number that nothing else locks by would do.
_LOCKS = 0x63656C79
# The server notices within half a minute that a worker's machine is gone, not after two hours.
_KEEPALIVE = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4"


class LeasedTask(Task):  # type: ignore[misc]
    """A task that is under way once at most, whatever the broker delivers."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with _alone(self.request.id) as alone:
            if not alone:
                time.sleep(LOOK_AGAIN_SECONDS)
                raise Reject("another worker is at it", requeue=True)
            # Read here: in another thread Celery knows of no request.
            tag = self.request.properties["delivery_tag"]
            with meanwhile(lambda _: self._renew(tag), LOOK_EVERY_SECONDS), _signals_restored():
                return self._work(*args, **kwargs)

    def _work(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)

    def _renew(self, tag: str) -> None:
        try:
            with Redis.from_url(self.app.conf.broker_url) as redis:
                redis.zadd(UNACKED, {tag: time.time()}, xx=True)
        except RedisError:
            pass  # the lock holds meanwhile; the next renewal will do


class LeasedRun(LeasedTask):
    """A whole run: a task that waits for other tasks, its steps, which are queues and workers of their own."""

    def _work(self, *args: Any, **kwargs: Any) -> Any:
        run_id = unpack_value(kwargs["execute_job_args_packed"], ExecuteRunArgs).run_id
        with DagsterInstance.get() as instance:
            if _has_died(instance, run_id):
                return 0
        with allow_join_result():
            return self.run(*args, **kwargs)


class LeasedStep(LeasedTask):
    """A step; it is interrupted when its run is cancelled or over, which Celery's own revocation leaves running."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        run_id = unpack_value(kwargs["execute_step_args_packed"], ExecuteStepArgs).run_id
        with DagsterInstance.get() as instance:
            if _is_over(instance, run_id):
                return []
            try:
                with _interrupted_when(lambda: _is_over(instance, run_id)):
                    return super().__call__(*args, **kwargs)
            except (DagsterExecutionInterruptedError, KeyboardInterrupt):
                return []  # the run, if it still waits, takes the step for failed


def _has_died(instance: DagsterInstance, run_id: str) -> bool:
    """Whether the run is under way although its task is nobody's: whoever began it is dead.

    It is marked as failed then, and Dagster's daemon starts it once more from where it was.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING):
        return False
    end = instance.report_run_failed if run.status == DagsterRunStatus.STARTED else instance.report_run_canceled
    end(run, "The worker that this run was at has died.")
    return True


def _is_over(instance: DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished or run.status == DagsterRunStatus.CANCELING


@contextmanager
def _alone(task_id: str) -> Iterator[bool]:
    """Whether this process alone has the task; it has it until the context ends, or the process."""
    with closing(connect(os.environ["DAGSTER_DATABASE_URL"])) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_KEEPALIVE)
        cursor.execute("select pg_try_advisory_lock(%s, hashtext(%s))", (_LOCKS, task_id))
        ((alone,),) = cursor.fetchall()
        yield alone


def _interrupted_when(over: Callable[[], bool]) -> Any:
    def interrupt(_: threading.Event) -> None:
        if over():
            # Not `interrupt_main`: this one also ends a wait for the network. Ignored where no step is at work.
            os.kill(os.getpid(), signal.SIGINT)

    return meanwhile(interrupt, LOOK_EVERY_SECONDS)


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Dagster leaves SIGTERM as it found SIGINT, which Celery's processes ignore: they could not be ended."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
