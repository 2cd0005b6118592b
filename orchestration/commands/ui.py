"""`bioloupe ui`: Dagster's web server and daemon on this machine."""

import os
import sys

import click


@click.command()
@click.option("--port", default=3000, show_default=True, help="Where the UI listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Which address the UI listens on.")
def ui(port: int, host: str) -> None:
    """Open the Dagster UI: lineage, runs, checks, schedules.

    Starts the web server and the daemon that runs schedules, in the foreground: Ctrl-C ends both. The database stays
    up (`bioloupe db stop` ends it).
    """
    from orchestration.project import dbt_project
    from orchestration.runtime import activate, heed_signals
    from orchestration.settings import PROJECT_ROOT

    heed_signals()
    activate()
    dbt_project()
    click.echo(f"Dagster UI: http://{host}:{port}")
    os.chdir(PROJECT_ROOT)
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "--host", host, "--port", str(port)]
    os.execv(sys.executable, [*command, "--live-data-poll-rate", "2000"])
