"""Jobs that tell in a table who runs their steps, for tests of Celery's workers. `python -m tests.celery_job JOB`."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterInstance, execute_job, job, op, reconstructable

from orchestration.assets.steps import placed
from orchestration.deploy.executors import executor
from orchestration.runtime import activate
from orchestration.settings import settings
from orchestration.warehouse import query

CELERY = executor(settings())


@contextmanager
def _told(step: str) -> Iterator[int]:
    """Yield how often the step had been begun before."""
    url = os.environ["DATABASE_URL"]
    before = query(url, "select count(*) from diary where step = %s", (step,))[0][0]
    insert = "insert into diary values (%s, %s, %s) returning 1"
    query(url, insert, (step, "begun", os.getppid()))
    ended = "interrupted"
    try:
        yield before
        ended = "done"
    finally:
        query(url, insert, (step, ended, os.getppid()))


@op(tags=placed("warehouse"))
def hangs_at_first() -> None:
    with _told("hangs_at_first") as before:
        time.sleep(0 if before else 300)


@op
def outlasts_the_lease() -> None:
    with _told("outlasts_the_lease"):
        time.sleep(2 * settings().celery_lost_after)


@job(executor_def=CELERY)
def survives() -> None:
    hangs_at_first()
    outlasts_the_lease()


@op
def never_ends() -> None:
    with _told("never_ends"):
        time.sleep(300)


@job(executor_def=CELERY)
def is_cancelled() -> None:
    never_ends()


if __name__ == "__main__":
    activate()
    from tests import celery_job

    with (
        DagsterInstance.get() as instance,
        execute_job(reconstructable(getattr(celery_job, sys.argv[1])), instance=instance) as result,
    ):
        sys.exit(0 if result.success else 1)
