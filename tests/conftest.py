"""Fixtures that several rooms share: a real Postgres, and databases to throw away."""

import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from orchestration.local.postgres import EmbeddedPostgres
from orchestration.settings import Settings, settings
from tests.filled import fill

_number = count()
# Whole installations at work, a minute or two each: begun first, so that no worker is left alone with one at the end.
LONG = ("test_refresh", "test_commands_load", "test_ui", "test_deploy_celery", "test_orchestration_branches")


def free_port() -> int:
    """A TCP port on loopback that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(scope="session", autouse=True)
def _own_password_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests' credentials stay out of the password file of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSFILE", str(tmp_path_factory.mktemp("passwords") / "pgpass"))
        yield


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """An embedded server of this test session's own."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres home"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def warehouse_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database that is dropped after the test."""
    name = f"test_{next(_number)}"
    _administer(postgres_server, "create database {}", name)
    yield postgres_server.url(name)
    _administer(postgres_server, "drop database {} with (force)", name)


@pytest.fixture(scope="session")
def _filled_template(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = "filled"
    _administer(postgres_server, "create database {}", name)
    fill(postgres_server.url(name), tmp_path_factory.mktemp("filled"))
    return name


@pytest.fixture
def filled_warehouse_url(postgres_server: EmbeddedPostgres, _filled_template: str) -> Iterator[str]:
    """The URL of a copy of a filled warehouse (tests/filled.py), dropped after the test."""
    name = f"test_{next(_number)}"
    _administer(postgres_server, "create database {} template " + _filled_template, name)
    yield postgres_server.url(name)
    _administer(postgres_server, "drop database {} with (force)", name)


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Settings of the test's own: nothing of whoever runs it. Call `settings.cache_clear()` after a change."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("BIOLOUPE_HOME", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def _administer(server: EmbeddedPostgres, statement: str, name: str) -> None:
    connection = psycopg2.connect(server.url("postgres"))
    connection.autocommit = True
    try:
        connection.cursor().execute(sql.SQL(statement).format(sql.Identifier(name)))
    finally:
        connection.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real registry records beside the checkout; a test that needs it is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no folder `shared` with real registry records beside this checkout")
    return folder
