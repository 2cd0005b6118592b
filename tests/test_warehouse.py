"""The warehouse's databases and schemas, on the embedded server and on one that DATABASE_URL names."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestration.local.postgres import EmbeddedPostgres
from orchestration.settings import Settings, settings
from orchestration.warehouse import SCHEMAS, WarehouseError, connect, embedded, ensure, normalised, without_password
from tests.conftest import free_port


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor the password file of whoever runs the tests."""
    for variable in ("DATABASE_URL", "DAGSTER_DATABASE_URL", "BIOLOUPE_HOME", "BIOLOUPE_DB_PORT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))


def _settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an embedded server that no test shares, not started yet."""
    settings = _settings(BIOLOUPE_HOME=tmp_path / "home", BIOLOUPE_DB_PORT=free_port())
    yield settings
    embedded(settings).stop()


def _column(url: str, query: str) -> list[Any]:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.integration
def test_the_first_commands_together_find_everything(own: Settings, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: ensure(own), range(3)))
    assert len(set(found)) == 1
    assert set(SCHEMAS) <= set(_column(found[0].url, "select nspname from pg_namespace"))
    assert _column(found[0].dagster_url, "select current_database()") == ["dagster"]
    # What libpq finds by itself: the same URL without its password.
    assert _column(found[0].url.replace(":" + embedded(own).password(), ""), "select current_user") == ["bioloupe"]


@pytest.mark.integration
def test_a_password_file_that_cannot_be_written_is_no_obstacle(
    own: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/proc/no/such/pgpass")
    assert _column(ensure(own).url, "select 1") == [1]
    assert "/proc/no/such/pgpass" in caplog.text


@pytest.mark.integration
def test_a_configured_database_is_prepared_and_nothing_is_started(
    warehouse_url: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    sqlalchemy_s = warehouse_url.replace("postgresql://", "postgresql+psycopg2://")
    warehouse = ensure(_settings(DATABASE_URL=sqlalchemy_s, BIOLOUPE_HOME=home))
    assert warehouse.url == warehouse_url
    assert warehouse.dagster_url == postgres_server.url("dagster")
    assert set(SCHEMAS) <= set(_column(warehouse.url, "select nspname from pg_namespace"))
    assert _column(warehouse.dagster_url, "select current_database()") == ["dagster"]
    assert not home.exists()


@pytest.mark.integration
def test_dagster_s_own_database_is_taken_as_it_is(warehouse_url: str) -> None:
    warehouse = ensure(_settings(DATABASE_URL=warehouse_url, DAGSTER_DATABASE_URL="postgres://d:p@elsewhere/runs"))
    assert warehouse.dagster_url == "postgresql://d:p@elsewhere/runs"


@pytest.mark.integration
def test_a_user_who_may_create_nothing_is_told_what_to_ask_for(
    warehouse_url: str, postgres_server: EmbeddedPostgres
) -> None:
    with closing(connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop role if exists reader")
        cursor.execute("create role reader login password 'a:b@c'")
        database = warehouse_url.rsplit("/", 1)[1]
    reader = f"postgresql://reader:a%3Ab%40c@127.0.0.1:{postgres_server.port}/{database}"
    with pytest.raises(WarehouseError, match="owner, or grant it create on the database") as caught:
        ensure(_settings(DATABASE_URL=reader, DAGSTER_DATABASE_URL=warehouse_url))
    assert "a%3Ab%40c" not in str(caught.value)


@pytest.mark.integration
def test_lz4_is_the_default_wherever_the_server_has_it(warehouse_url: str) -> None:
    ensure(_settings(DATABASE_URL=warehouse_url))
    built_in = _column(
        warehouse_url, "select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'"
    )
    expected = "lz4" if built_in[0] else "pglz"
    assert _column(warehouse_url, "select current_setting('default_toast_compression')") == [expected]


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    url = f"postgresql://me:secret@127.0.0.1:{free_port()}/x"
    with pytest.raises(WarehouseError, match=r"me:\*\*\*@127\.0\.0\.1.*refused") as caught:
        connect(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DAGSTER_DATABASE_URL"])
def test_a_database_that_somebody_named_is_said_to_be_theirs_in_one_line(
    own_settings: None, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    rest = f"me:secret@127.0.0.1:{free_port()}/x"
    monkeypatch.setenv(variable, f"postgresql+psycopg2://{rest}")
    settings.cache_clear()
    with pytest.raises(WarehouseError, match=rf"\? That is {variable}: mend it, or unset it for the ") as caught:
        connect(f"postgresql://{rest}")
    assert "secret" not in str(caught.value)
    assert not set("\n\t") & set(str(caught.value))
    with pytest.raises(WarehouseError) as caught:
        connect("postgresql://me:secret@127.0.0.1:1/other")
    assert "That is" not in str(caught.value)


@pytest.mark.integration
def test_the_embedded_server_s_address_is_nobody_s(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = ensure(own).url
    embedded(own).stop()
    for variable, value in {
        "BIOLOUPE_HOME": str(own.shared_home),
        "BIOLOUPE_DB_PORT": str(own.db_port),
        "DATABASE_URL": url,  # as a process that a command started has it
    }.items():
        monkeypatch.setenv(variable, value)
    settings.cache_clear()
    with pytest.raises(WarehouseError) as caught:
        connect(url)
    settings.cache_clear()
    assert "That is" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "h:5432/d", "", "postgresql://h:notaport/d"])
def test_what_is_no_postgres_url_is_refused(url: str) -> None:
    with pytest.raises(WarehouseError, match="DATABASE_URL must look like postgresql://") as caught:
        normalised(url, "DATABASE_URL")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_all_spellings_become_one(scheme: str) -> None:
    rest = "u:p%40%2F@h:1/d?sslmode=require"
    assert normalised(f"{scheme}://{rest}", "DATABASE_URL") == f"postgresql://{rest}"
    assert without_password(f"{scheme}://{rest}") == "postgresql://u:***@h:1/d?sslmode=require"


@pytest.mark.integration
def test_a_dagster_database_that_is_not_there_is_said_in_one_line(warehouse_url: str, tmp_path: Path) -> None:
    missing = warehouse_url.rsplit("/", 1)[0] + "/nowhere"
    own = {"BIOLOUPE_HOME": str(tmp_path), "DATABASE_URL": warehouse_url, "DAGSTER_DATABASE_URL": missing}
    command = [sys.executable, "-m", "orchestration", "status"]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
