"""`bioloupe db` as a person types it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration.cli import bioloupe
from orchestration.local.postgres import EmbeddedPostgres
from orchestration.settings import Settings, settings
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A home, a port and a password file of this test's own; whatever it started is stopped."""
    server = EmbeddedPostgres(tmp_path / "home", free_port())
    monkeypatch.setitem(Settings.model_config, "env_file", None)  # a developer's own .env
    for variable in ("DATABASE_URL", "DAGSTER_DATABASE_URL", "DBT_PROJECT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("BIOLOUPE_HOME", str(server.home))
    monkeypatch.setenv("BIOLOUPE_DB_PORT", str(server.port))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    settings.cache_clear()
    yield server
    server.stop()
    settings.cache_clear()


def _db(*arguments: str, answer: str | None = None) -> Result:
    settings.cache_clear()
    return CliRunner().invoke(bioloupe, ["db", *arguments], input=answer)


@pytest.mark.integration
def test_a_day_with_the_embedded_server(own_home: EmbeddedPostgres) -> None:
    started = _db("start")
    assert started.exit_code == 0, started.output
    assert "export DBT_PROJECT_DIR=dbt_project" in started.output
    assert own_home.password() not in started.output

    status = _db("status")
    assert status.exit_code == 0
    assert f"running on port {own_home.port}" in status.output
    assert "PostgreSQL 18" in status.output
    assert _db("url").stdout.strip() == own_home.url("bioloupe")

    assert "stopped" in _db("stop").output
    assert "was not running" in _db("stop").output
    assert (_db("status").exit_code, "not running" in _db("status").output) == (3, True)
    url = _db("url")
    assert (url.exit_code, url.stdout.strip(), "db start" in url.stderr) == (0, own_home.url(), True)


@pytest.mark.integration
def test_reset_asks_first(own_home: EmbeddedPostgres) -> None:
    own_home.start()
    refused = _db("reset", answer="n\n")
    assert refused.exit_code == 1
    assert str(own_home.data) in refused.output
    assert own_home.status().running
    assert _db("reset", "--yes").exit_code == 0
    assert not own_home.status().initialised


@pytest.mark.integration
def test_the_shell_is_psql_on_the_warehouse_and_starts_the_server(own_home: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", "from orchestration.cli import main; main()"]
    query = "select current_database() || current_user"
    done = subprocess.run(
        [*command, "db", "shell", "-At", "-c", query], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("bioloupebioloupe\n", "", 0)


@pytest.mark.integration
def test_with_a_database_url_the_embedded_server_stays_out_of_it(
    own_home: EmbeddedPostgres, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", warehouse_url.replace("postgresql://", "postgres://"))
    for command in ("start", "stop", "status"):
        done = _db(command)
        assert (done.exit_code, "DATABASE_URL is set" in done.output) == (0, True), done.output
    assert _db("url").stdout.strip() == warehouse_url
    refused = _db("reset", "--yes")
    assert (refused.exit_code, "not bioloupe's to remove" in refused.output) == (1, True)
    assert not own_home.home.exists()


def test_before_the_first_start() -> None:
    status = _db("status")
    assert (status.exit_code, "no data yet" in status.output) == (3, True)
    assert "was not running" in _db("stop").output
    assert "db start" in str(_db("url").exception)
    assert not Path(os.environ["BIOLOUPE_HOME"]).exists()


@pytest.mark.parametrize("command", ["start", "stop", "status", "url", "shell", "reset"])
def test_every_command_explains_itself(command: str) -> None:
    done = _db(command, "--help")
    assert (done.exit_code, len(done.output.splitlines()) > 4) == (0, True)


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    missing = [str(f.validation_alias) for f in type(settings()).model_fields.values()]
    assert [name for name in missing if f"{name}=" not in example] == []
