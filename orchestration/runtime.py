"""What a process needs before it can run dbt or Dagster: a database, DAGSTER_HOME, dbt's directories."""

import os
import signal
from pathlib import Path

from orchestration.settings import PROJECT_ROOT, settings
from orchestration.warehouse import Warehouse, connect, ensure

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
INSTANCE_CONFIG = Path(__file__).parent / "dagster.yaml"
# What another executor adds to it.
MORE_CONFIG = {"celery": Path(__file__).parent / "deploy" / "dagster.celery.yaml"}


def target_path(branch: str | None) -> Path:
    """Where dbt writes, below its project: each branch in a directory of its own, so that none replaces another's."""
    return Path("target", "branches", branch) if branch else Path("target")


def heed_signals() -> None:
    """Let SIGTERM end this process where a script has started it in the background.

    Shells have such processes ignore SIGINT, and Dagster treats SIGTERM as it finds SIGINT treated.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def activate() -> Warehouse:
    """Start or find the database and point this process, and whatever it starts, at it.

    Child processes (dbt, Dagster's web server, daemon and run workers) read the same environment
    variables as people do, so they are told through those and never start a database of their own.
    """
    config = settings()
    warehouse = ensure(config)
    # Dagster itself would try for a while and then show a page of stack trace.
    connect(warehouse.dagster_url).close()
    dagster_home = config.home / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    _put_instance_config(dagster_home / "dagster.yaml", config.executor)
    os.environ.update(
        DATABASE_URL=warehouse.url,
        DAGSTER_DATABASE_URL=warehouse.dagster_url,
        DAGSTER_HOME=str(dagster_home),
        DAGSTER_DISABLE_TELEMETRY="yes",
        DBT_PROJECT_DIR=str(DBT_PROJECT_DIR),
        DBT_PROFILES_DIR=str(PROJECT_ROOT),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )
    if config.transformer_database_url:  # it may stand in `.env`, which dbt does not read
        os.environ["TRANSFORMER_DATABASE_URL"] = config.transformer_database_url.get_secret_value()
    if config.celery_broker_url:  # as Dagster's own processes do not
        os.environ["BIOLOUPE_CELERY_BROKER_URL"] = config.broker_url
    if config.branch:
        os.environ["DBT_TARGET_PATH"] = str(target_path(config.branch))
    return warehouse


def _put_instance_config(path: Path, executor: str) -> None:
    """Copy the configuration in one step: who reads half of it keeps runs in SQLite, where nobody else sees them."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    parts = [INSTANCE_CONFIG, *([MORE_CONFIG[executor]] if executor in MORE_CONFIG else [])]
    temporary.write_text("".join(part.read_text() for part in parts))
    temporary.replace(path)
