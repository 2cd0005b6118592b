"""A warehouse as a refresh leaves it, made once for all tests that need one: each gets a copy of its own."""

from pathlib import Path

from ingest.clinicaltrials_gov import load
from orchestration.enrichment.runner import run_task
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.local.language_model import configured_model
from orchestration.local.sandbox import running_sandbox
from orchestration.settings import Settings
from orchestration.warehouse import ensure
from tests.dbt_warehouse import DbtWarehouse

STUDIES = 150


def fill(url: str, scratch: Path) -> None:
    """Load, stage and model `STUDIES` synthetic studies; keywords alone read their stop reasons."""
    names = {"DATABASE_URL": url, "DAGSTER_DATABASE_URL": url, "BIOLOUPE_HOME": scratch}
    config = Settings(**names, BIOLOUPE_SANDBOX_STUDIES=STUDIES, _env_file=None)
    ensure(config)
    with running_sandbox(config) as api_url:
        load(api_url, url, scratch / "dlt")
    dbt = DbtWarehouse(url, scratch)
    dbt.run("--select", "path:models/staging", "path:models/intermediate")
    run_task(url, STOP_REASONS, None, configured_model(config))
    dbt.run("--select", "path:models/analytics")
