"""`bioloupe enrich` as it is typed."""

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner, Result

from orchestration.commands.enrich import enrich
from orchestration.settings import ConfigurationError, settings
from tests.openai_server import OpenAIServer

TEXTS = {"NCT1": "slow accrual", "NCT2": "The oracle spoke", "NCT3": "Another oracle"}


def typed(*arguments: str) -> Result:
    settings.cache_clear()
    return CliRunner().invoke(enrich, arguments)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("BIOLOUPE_HOME", str(tmp_path))
    monkeypatch.setenv("BIOLOUPE_LLM", "on")
    yield monkeypatch
    settings.cache_clear()


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.csv"
    path.write_text("nct_id,stop_reason\nNCT1,insufficient_enrollment\nNCT2,covid19\nNCT9,negative\n")
    return path


@pytest.fixture
def warehouse(warehouse_url: str, environment: pytest.MonkeyPatch, server: OpenAIServer) -> str:
    for name in ("DATABASE_URL", "DAGSTER_DATABASE_URL"):
        environment.setenv(name, warehouse_url)
    environment.setenv("OPENAI_BASE_URL", server.base_url)
    environment.setenv("BIOLOUPE_LLM_MODEL", "fake")
    with closing(psycopg2.connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create schema intermediate")
        cursor.execute("create table intermediate.int_stopped_trials (nct_id text, text_hash text)")
        cursor.execute(
            "create table intermediate.int_stop_reason_texts "
            "(text_hash text, text text, study_count integer, latest_update date)"
        )
        for nct_id, text in TEXTS.items():
            key = sha256(text.encode()).hexdigest()
            cursor.execute("insert into intermediate.int_stopped_trials values (%s, %s)", (nct_id, key))
            cursor.execute("insert into intermediate.int_stop_reason_texts values (%s, %s, 1, null)", (key, text))
    return warehouse_url


@pytest.mark.integration
def test_an_evaluation_prints_figures_and_costs_nothing_the_second_time(
    warehouse: str, gold: Path, server: OpenAIServer
) -> None:
    first = typed("eval", "stop_reasons", "--gold", str(gold))
    assert first.exit_code == 0, first.output
    for expected in ("2 of 3 labelled", "NCT9", "accuracy 0.500", "1 calls", "NCT2 covid19 → regulatory"):
        assert expected in first.output
    second = typed("eval", "stop_reasons", "--gold", str(gold))
    assert "accuracy 0.500" in second.output
    assert "calls" not in second.output
    assert len(server.requests) == 1


@pytest.mark.integration
def test_reading_in_the_terminal_keeps_to_its_budget(warehouse: str, server: OpenAIServer) -> None:
    first = typed("run", "stop_reasons", "--max-calls", "1")
    assert first.exit_code == 0, first.output
    assert "2 of 3 unread texts read" in first.output
    assert "1 left" in first.output
    assert "budget of calls is spent" in first.output
    assert "0 left" in typed("run", "stop_reasons").output
    assert len(server.requests) == 2


@pytest.mark.integration
def test_an_api_that_is_not_there_fails_with_its_address(
    warehouse: str, environment: pytest.MonkeyPatch, gold: Path
) -> None:
    environment.setattr("orchestration.local.language_model.MAX_RETRIES", 0)
    environment.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = typed("run", "stop_reasons")
    assert result.exit_code == 1
    assert "no connection to http://127.0.0.1:9/v1" in result.output.replace("\n", " ")


def test_a_wrong_file_of_labels_needs_no_database(environment: pytest.MonkeyPatch, gold: Path) -> None:
    gold.write_text("study,reason\n")
    result = typed("eval", "stop_reasons", "--gold", str(gold))
    assert result.exit_code == 1
    assert "no column nct_id, stop_reason" in result.output.replace("\n", " ")


def test_a_model_that_is_switched_off_is_said(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BIOLOUPE_LLM", "off")
    result = typed("run", "stop_reasons")
    assert isinstance(result.exception, ConfigurationError)
    assert "BIOLOUPE_LLM=off" in str(result.exception)


def test_fetching_the_model_with_an_own_file_is_checking_it(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    environment.setenv("BIOLOUPE_LLM_MODEL_PATH", str(own))
    assert typed("fetch-model").exit_code == 0
    own.write_bytes(b"none")
    result = typed("fetch-model")
    assert result.exit_code == 1
    assert "not a GGUF" in result.output.replace("\n", " ")
