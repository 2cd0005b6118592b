"""`bioloupe serve`: one part of a deployment that is spread over several processes or machines."""

import os
import sys

import click

from orchestration.settings import PROJECT_ROOT, settings

WORKSPACE = str(PROJECT_ROOT / "orchestration" / "deploy" / "workspace.yaml")
CODE_PORT = "4000"


@click.group()
def serve() -> None:
    """One part of a deployment, in the foreground: code, webserver, daemon or worker.

    All of them find the database and, for Celery, the broker in the same settings. BIOLOUPE_CODE_HOST says where
    `serve code` runs.
    """


@serve.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Which address to listen on.")
def code(host: str) -> None:
    """Serve the definitions to web server and daemon, on port 4000."""
    from orchestration.project import dbt_project

    _prepare()
    dbt_project()
    _become("dagster", "api", "grpc", "-m", "orchestration.definitions", "-h", host, "-p", CODE_PORT)


@serve.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Which address to listen on.")
@click.option("--port", default=3000, show_default=True, help="Where the UI listens.")
def webserver(host: str, port: int) -> None:
    """Serve the UI."""
    _prepare()
    _become("dagster_webserver", "-h", host, "-p", str(port), "-w", WORKSPACE, "--live-data-poll-rate", "2000")


@serve.command()
def daemon() -> None:
    """Run schedules, sensors, the queue of runs, and look after those that died."""
    _prepare()
    _become("dagster._daemon", "run", "-w", WORKSPACE)


@serve.command()
@click.option("--queue", "queues", multiple=True, help="A queue to take from; repeat it for several. Default: all.")
@click.option("--concurrency", default=1, show_default=True, help="How many steps, or runs, it works on at once.")
def worker(queues: tuple[str, ...], concurrency: int) -> None:
    """Work on what Celery's queues hold.

    `runs` holds whole runs, which only wait for their steps: give it a worker of its own, so that steps find a free
    one. The other queues are named after pools (clinicaltrials_gov, warehouse, language_model); `dagster` is for the
    steps that take none.
    """
    from orchestration.assets.steps import QUEUES
    from orchestration.project import dbt_project

    if settings().executor != "celery":
        raise click.UsageError("workers are for BIOLOUPE_EXECUTOR=celery")
    if unknown := set(queues) - set(QUEUES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: queues are {', '.join(QUEUES)}", param_hint="--queue")
    _prepare()
    dbt_project()
    chosen = ",".join(queues or QUEUES)
    options = ["-Q", chosen, "-c", str(concurrency), "-l", "INFO", "-n", f"{os.getpid()}@%h"]
    _become("celery", "-A", "orchestration.deploy.tasks", "worker", *options)


@serve.command()
@click.argument("part", type=click.Choice(["code", "webserver", "daemon", "worker"]))
def check(part: str) -> None:
    """Ask a part that runs on this machine whether it is well; exit code 0 if it is."""
    from orchestration.deploy.health import CHECKS

    _prepare()
    if problem := CHECKS[part]():
        raise click.ClickException(problem)


def _prepare() -> None:
    from orchestration.runtime import activate, heed_signals

    heed_signals()
    activate()
    os.environ.setdefault("BIOLOUPE_CODE_HOST", "127.0.0.1")
    os.chdir(PROJECT_ROOT)


def _become(module: str, *arguments: str) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-W", "ignore", "-m", module, *arguments])
