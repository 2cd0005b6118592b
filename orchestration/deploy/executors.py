"""Which executor runs the steps of a run: in its own process, on Celery's workers, or in pods of Kubernetes."""

import os
from importlib.util import find_spec

from dagster import ExecutorDefinition, in_process_executor

from orchestration.settings import ConfigurationError, Settings

BROKER = {"env": "BIOLOUPE_CELERY_BROKER_URL"}  # looked up where it is used: no run's configuration holds the password
PACKAGES = {"celery": "dagster_celery", "kubernetes": "dagster_k8s"}


def executor(config: Settings) -> ExecutorDefinition:
    """The executor that BIOLOUPE_EXECUTOR names. Raises ConfigurationError where its package is not installed."""
    if config.executor == "in_process":
        # A step costs milliseconds in process and seconds in a process of its own.
        return in_process_executor
    if find_spec(PACKAGES[config.executor]) is None:
        raise ConfigurationError(
            f"BIOLOUPE_EXECUTOR={config.executor} needs packages that are not installed here: "
            f"`uv sync --extra {config.executor}`, or pip install 'bioloupe-data[{config.executor}]'"
        )
    return _celery(config) if config.executor == "celery" else _kubernetes()


def _celery(config: Settings) -> ExecutorDefinition:
    from dagster_celery import celery_executor

    from orchestration.deploy.celery_settings import SETTINGS

    os.environ[BROKER["env"]] = config.broker_url  # it may stand in `.env`, which Dagster does not read
    return celery_executor.configured({"broker": BROKER, "backend": BROKER, "config_source": SETTINGS})


def _kubernetes() -> ExecutorDefinition:
    from dagster_k8s import k8s_job_executor

    # The image, the secrets and the volumes of a step are those of its run.
    return k8s_job_executor.configured({"max_concurrent": 4})
