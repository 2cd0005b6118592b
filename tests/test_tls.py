"""Managed Postgres: each of the four clients verifies the server, and refuses one that it can't."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.pipelines import pipeline
from orchestration.database_url import with_option
from orchestration.settings import ConfigurationError, read_settings
from orchestration.warehouse import ensure, query
from tests.tls_server import TlsServer, programs, tls_server

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parent.parent
SSL = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    directory = programs()
    if directory is None:
        pytest.skip("no Postgres with OpenSSL on this machine (Debian: apt-get install postgresql)")
    with tls_server(directory, "tls-Pa55word") as running:
        yield running


def _psycopg2(url: str, scratch: Path) -> None:
    assert query(url, SSL) == [(True,)]


def _dlt(url: str, scratch: Path) -> None:
    made = pipeline("tls", "tls", url, scratch)
    with made.sql_client() as client:
        assert client.execute_sql(SSL) == [(True,)]


def _dagster(url: str, scratch: Path) -> None:
    from dagster_postgres import PostgresRunStorage

    storage = PostgresRunStorage(url, should_autocreate_tables=True)
    with storage.connect() as connection:
        assert connection.exec_driver_sql(SSL).scalar() is True


def _dbt(url: str, scratch: Path) -> None:
    environment = os.environ | {"DATABASE_URL": url, "BIOLOUPE_ENV": "prod", "DBT_LOG_PATH": str(scratch)}
    dbt = [str(Path(sys.executable).with_name("dbt")), "debug", "--connection", "--project-dir", "dbt_project"]
    done = subprocess.run(dbt, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConnectionError(done.stdout)


CLIENTS = [_psycopg2, _dlt, _dagster, _dbt]
Client = Callable[[str, Path], None]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_verified_server_is_connected_to(client: Client, server: TlsServer, tmp_path: Path) -> None:
    client(server.url(server.authority), tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_another_authority_s_server_is_refused(
    client: Client,
    server: TlsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("dagster_postgres.utils.time.sleep", lambda _: None)  # Dagster tries five times, and logs why
    with pytest.raises(Exception, match=r"certificate verify failed|too many retries") as caught:
        client(server.url(server.stranger), tmp_path)
    said = f"{caught.value}\n{caplog.text}"
    assert "certificate verify failed" in said
    assert server.password not in said


def test_a_server_of_another_name_is_refused(server: TlsServer, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not match host name"):
        _psycopg2(server.url(server.authority, host="127.0.0.1"), tmp_path)


def test_options_of_the_session_go_with_it(server: TlsServer) -> None:
    url = with_option(server.url(server.authority), "search_path", "elsewhere")
    assert query(url, "show search_path") == [("elsewhere",)]
    assert query(url, SSL) == [(True,)]


@pytest.mark.usefixtures("own_settings")
def test_production_starts_there_and_dagster_s_database_is_reached_the_same_way(server: TlsServer) -> None:
    warehouse = ensure(read_settings(BIOLOUPE_ENV="prod", DATABASE_URL=server.url(server.authority)))
    assert query(warehouse.dagster_url, "select current_database()::text") == [("dagster",)]
    assert "sslmode=verify-full" in warehouse.dagster_url
    with pytest.raises(ConfigurationError, match="certificate verify failed") as caught:
        ensure(read_settings(BIOLOUPE_ENV="prod", DATABASE_URL=server.url(server.stranger)))
    assert server.password not in str(caught.value)
