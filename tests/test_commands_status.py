"""What `bioloupe status` says of free text."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from click.testing import CliRunner

from orchestration.cli import bioloupe
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.settings import Settings, settings
from orchestration.warehouse import ensure

pytestmark = pytest.mark.integration

TABLES = """
create table raw_ctgov.registry_versions (data_timestamp timestamptz, observed_at timestamptz);
insert into raw_ctgov.registry_versions values (now(), now());
create table intermediate.int_stop_reason_texts (
    text_hash text, text text, study_count integer, latest_update date
);
insert into intermediate.int_stop_reason_texts select n, n, 1, null from generate_series(1, 3) as n;
"""
ANSWER = """
insert into enrichment.stop_reasons
    (task, version, model, text_hash, text, status, confidence, method, stop_reason, evidence)
values ('stop_reasons', %s, %s, %s, '', 'answered', 'high', 'llm', 'negative', '')
"""


@pytest.fixture
def status(warehouse_url: str, own_settings: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`bioloupe status` of three texts: this model has read one, another one that and a second."""
    ensure(Settings(DATABASE_URL=warehouse_url, DAGSTER_DATABASE_URL=warehouse_url))
    with closing(psycopg2.connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        for model, text in (("mine", "1"), ("another", "1"), ("another", "2")):
            cursor.execute(ANSWER, (STOP_REASONS.version, model, text))
        cursor.execute(ANSWER, ("an earlier one", "mine", "2"))
    for variable in ("DATABASE_URL", "DAGSTER_DATABASE_URL"):
        monkeypatch.setenv(variable, warehouse_url)
    for variable in ("DAGSTER_HOME", "DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(variable, "")  # what the command sets ends with the test
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    def typed(**variables: str) -> str:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        return CliRunner().invoke(bioloupe, ["status"], catch_exceptions=False).output

    return typed


def test_texts_count_as_unread_until_the_configured_model_has_answered(status: Callable[..., str]) -> None:
    assert "free text  2 texts unread by mine\n" in status(BIOLOUPE_LLM_MODEL="mine")
    assert "free text  3 texts unread by gpt-4.1-mini\n" in status(BIOLOUPE_LLM_MODEL="")
    assert "free text  1 texts unread by any model\n" in status(BIOLOUPE_LLM="off")
