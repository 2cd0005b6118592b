"""The enrichment asset: the model off, absent, answering; what it puts into Dagster's metadata."""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult, materialize

from orchestration.assets.enrichment import ANSWERS, LEDGER, enrich_stop_reasons
from orchestration.resources.language_model import LanguageModel
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings
from orchestration.warehouse import connect, ensure
from tests.openai_server import OpenAIServer, failure

pytestmark = pytest.mark.integration
# One that keywords settle, two that they do not.
STOPS = ["Slow accrual", "The freezer in the basement said otherwise", "Mercury was in retrograde over Basel"]


@pytest.fixture(autouse=True)
def _settings(own_settings: None, monkeypatch: pytest.MonkeyPatch, warehouse_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", warehouse_url)


@pytest.fixture
def warehouse(warehouse_url: str) -> str:
    ensure(settings())
    with closing(connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "create table intermediate.int_stop_reason_texts"
            " (text_hash text, text text, study_count integer, latest_update date)"
        )
        for text in STOPS:
            row = (hashlib.sha256(text.encode()).hexdigest(), text)
            cursor.execute("insert into intermediate.int_stop_reason_texts values (%s, %s, 1, now())", row)
    return warehouse_url


def run(url: str) -> ExecuteInProcessResult:
    resources = {"warehouse": WarehouseResource(url=url), "language_model": LanguageModel()}
    return materialize([enrich_stop_reasons], resources=resources, instance=DagsterInstance.ephemeral())


def metadata(result: ExecuteInProcessResult, key: AssetKey) -> dict[str, Any]:
    (found,) = [m for m in result.asset_materializations_for_node("enrich_stop_reasons") if m.asset_key == key]
    return {name: value.value for name, value in found.metadata.items()}


def test_turned_off_it_reads_nothing_and_says_so(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOLOUPE_LLM", "off")
    settings.cache_clear()
    result = run(warehouse)
    assert result.success
    assert "BIOLOUPE_LLM=off" in metadata(result, ANSWERS)["skipped"]
    assert metadata(result, ANSWERS)["dagster/row_count"] == 0


def test_with_no_model_file_keywords_read_and_the_rest_goes_on(
    warehouse: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BIOLOUPE_LLM_MODEL_PATH", str(tmp_path / "nowhere.gguf"))
    settings.cache_clear()
    result = run(warehouse)
    assert result.success
    about = metadata(result, ANSWERS)
    assert (about["answered_by_rule"], about["answered_by_model"], about["unread"]) == (1, 0, 2)
    assert "BIOLOUPE_LLM_MODEL_PATH" in about["stopped"]


def test_calls_and_tokens_are_counted_in_metadata_and_ledger(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    settings.cache_clear()
    first, second = run(warehouse), run(warehouse)
    server.close()
    about = metadata(first, ANSWERS)
    assert (about["calls"], about["answered_by_model"], about["unread"]) == (2, 2, 0)
    assert (about["openai.fake.calls"], about["openai.fake.total_tokens"]) == (2, 240)
    assert metadata(first, LEDGER)["dagster/row_count"] == 2
    assert "latency_ms" in [column.name for column in metadata(first, LEDGER)["dagster/column_schema"].columns]
    assert metadata(second, ANSWERS)["calls"] == 0
    assert set(server.keys) == {"Bearer sk-test-only"}


def test_a_refused_key_is_a_warning_with_the_remedy(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = OpenAIServer(lambda request: failure(401, "wrong key"))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    settings.cache_clear()
    result = run(warehouse)
    server.close()
    assert result.success
    assert "OPENAI_API_KEY" in metadata(result, ANSWERS)["stopped"]
    assert metadata(result, ANSWERS)["unread"] == 2


def test_the_budget_leaves_the_rest_for_the_next_run(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("BIOLOUPE_LLM_MAX_CALLS", "1")
    settings.cache_clear()
    left = [metadata(run(warehouse), ANSWERS)["unread"] for _ in range(2)]
    server.close()
    assert left == [1, 0]
