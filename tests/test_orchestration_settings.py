"""Configuration: defaults, precedence, and that a wrong value is an error that names itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli import bioloupe
from orchestration.settings import PUBLIC_CTGOV_API_URL, ConfigurationError, Settings, settings

VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    settings.cache_clear()


def test_with_nothing_set_everything_is_embedded() -> None:
    config = settings()
    assert config.uses_embedded_database
    assert config.uses_embedded_llm
    assert config.uses_sandbox


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_key_or_a_base_url_turns_the_embedded_model_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1/v1")
    assert not settings().uses_embedded_llm


def test_a_set_url_wins_over_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOLOUPE_SOURCES", "live")
    assert settings().api_url == PUBLIC_CTGOV_API_URL
    settings.cache_clear()
    monkeypatch.setenv("BIOLOUPE_SOURCES", "sandbox")
    monkeypatch.setenv("CTGOV_API_URL", "http://127.0.0.1:1/api/v2")
    assert not settings().uses_sandbox
    assert settings().api_url == "http://127.0.0.1:1/api/v2"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert settings().uses_embedded_database


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIOLOUPE_ENV", "production"),
        ("BIOLOUPE_DB_PORT", "80"),
        ("BIOLOUPE_SOURCES", "public"),
        ("BIOLOUPE_LLM", "no"),
        ("OPENAI_BASE_URL", "notaurl"),
        ("OPENAI_BASE_URL", "localhost:8080/v1"),
        ("OPENAI_BASE_URL", "ftp://host/v1"),
        ("OPENAI_BASE_URL", "https:///v1"),
        ("OPENAI_BASE_URL", "http://host:99999/v1"),
        ("CTGOV_API_URL", "clinicaltrials.gov"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name}.*{value}"):
        settings()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v1", "https://llm.example/v1/", "http://[::1]:8080", "HTTP://h"]
)
def test_any_address_of_the_web_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert settings().openai_base_url == url


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden@h/d")
    assert "sk-very-secret" not in repr(settings())
    assert "hidden" not in repr(settings())


def test_every_variable_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert [name for name in VARIABLES if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["refesh"], "No such command 'refesh'. Did you mean 'refresh'?\n"),
        (["zzz"], "No such command 'zzz'.\n"),
        (["watch", "ad"], "No such command 'ad'. Did you mean 'add'?\n"),
    ],
)
def test_a_mistyped_command_is_met_with_the_nearest_one(typed: list[str], told: str) -> None:
    result = CliRunner().invoke(bioloupe, typed)
    assert result.exit_code == 2
    assert result.output.endswith(told)


def test_help_lists_the_commands_and_loads_neither_dagster_nor_dlt() -> None:
    result = CliRunner().invoke(bioloupe, ["--help"])
    assert result.exit_code == 0, result.output
    for command in ("refresh", "ui", "status", "db", "sandbox", "enrich"):
        assert f"\n  {command} " in result.output
    script = (
        "import sys; from orchestration.cli import bioloupe; bioloupe(['--help'], standalone_mode=False);"
        "sys.exit(str({'dagster', 'dlt'} & set(sys.modules)) if {'dagster', 'dlt'} & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
