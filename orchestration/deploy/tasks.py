"""The Celery app of a worker: `bioloupe serve worker` starts it."""

from typing import Any

from celery import Celery
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_task

from orchestration.deploy.celery_settings import worker_settings
from orchestration.deploy.leases import LeasedRun, LeasedStep
from orchestration.settings import settings


def _app() -> Celery:
    config = settings()
    url = config.broker_url
    made = make_app({"broker": url, "backend": url})
    made.conf.update(worker_settings(config.celery_lost_after))
    return made


app = _app()
execute_plan = create_task(app, base=LeasedStep)
# Its signature says that each option is a dict; they are Celery's.
_OPTIONS: dict[str, Any] = {"base": LeasedRun}
execute_job = create_execute_job_task(app, **_OPTIONS)
