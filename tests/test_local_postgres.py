"""The embedded Postgres, on real servers: what it promises when nothing and when everything goes wrong."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
from psycopg2.extras import wait_select

from orchestration.local.postgres import EmbeddedPostgres, EmbeddedPostgresError
from orchestration.local.postgres_process import find_postmaster, is_alive, wait_gone
from tests.conftest import free_port

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parent.parent
START = """
import sys, pathlib
from orchestration.local.postgres import EmbeddedPostgres
EmbeddedPostgres(pathlib.Path(sys.argv[1]), int(sys.argv[2])).start()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server in a path that breaks careless quoting. Each test takes it as it finds it, running or not."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("a home") / "it's a $HOME", free_port())
    yield server
    server.stop()


def _ask(server: EmbeddedPostgres, statement: str) -> object:
    with closing(psycopg2.connect(server.url("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def _postmaster(server: EmbeddedPostgres) -> psutil.Process:
    found = find_postmaster(server.data)
    assert found is not None
    return found.process


def _start_elsewhere(server: EmbeddedPostgres, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", START, str(server.home), str(server.port)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def test_what_was_committed_is_there_after_stop_and_start(server: EmbeddedPostgres) -> None:
    server.start()
    _ask(server, "create table if not exists kept as select 42 as answer")
    server.start()
    assert server.stop()
    assert not server.status().running
    assert not server.stop()
    server.start()
    assert _ask(server, "select answer from kept") == 42
    assert server.status().running


def test_only_loopback_with_the_password_and_durable(server: EmbeddedPostgres) -> None:
    server.start()
    listening = [c.laddr for c in _postmaster(server).net_connections("all") if c.status == psutil.CONN_LISTEN]
    assert [tuple(address) for address in listening] == [("127.0.0.1", server.port)]
    for wrong in (server.url().replace(server.password(), "0" * 32), server.url().replace(":" + server.password(), "")):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(wrong, passfile=os.devnull)
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert _ask(server, f"show {setting}") == "on"
    assert (server.data / "password").stat().st_mode & 0o077 == 0


def test_a_killed_postmaster_with_a_busy_backend_loses_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    _ask(server, "create table if not exists kept as select 42 as answer")
    busy = psycopg2.connect(server.url("postgres"), async_=True)
    wait_select(busy)
    busy.cursor().execute("select count(*) from generate_series(1, 1e9)")
    killed = _postmaster(server)
    killed.send_signal(signal.SIGKILL)
    assert wait_gone(killed, 10)
    server.start()
    busy.close()
    assert _ask(server, "select answer from kept") == 42
    assert _postmaster(server).pid != killed.pid


def test_a_pid_file_whose_pid_is_another_process_now(server: EmbeddedPostgres) -> None:
    server.start()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    for command in (server.stop, server.start):
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        assert not server.status().running
        command()
    assert _ask(server, "select 1") == 1


def test_a_killed_initdb_leaves_nothing_that_counts(server: EmbeddedPostgres) -> None:
    server.reset()
    starter = _start_elsewhere(server)
    while not list(server.root.glob("new-*/data")):
        assert starter.poll() is None, starter.communicate()[1]
        time.sleep(0.01)
    starter.kill()
    starter.communicate()
    assert not server.status().initialised
    server.start()  # while that initdb may still be at work: its starter is gone, it is not
    assert _ask(server, "select 1") == 1


def test_commands_that_start_it_at_once_share_one_server(server: EmbeddedPostgres) -> None:
    server.reset()
    starters = [_start_elsewhere(server) for _ in range(3)]
    said = [starter.communicate(timeout=60)[1] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0], said
    assert _ask(server, "select 1") == 1
    standing = [p for p in psutil.process_iter(["name", "cmdline"]) if str(server.data) in (p.info["cmdline"] or [])]
    assert [p.pid for p in standing if is_alive(p)] == [_postmaster(server).pid]


def test_it_outlives_its_starter_and_holds_none_of_its_files(server: EmbeddedPostgres) -> None:
    server.stop()
    read, write = os.pipe()
    starter = _start_elsewhere(server, stdout=write, pass_fds=(write,), start_new_session=True)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == ""  # returns when the last holder of the other end is gone
    starter.communicate(timeout=60)
    assert os.getsid(_postmaster(server).pid) not in (os.getsid(0), starter.pid)
    assert _ask(server, "select 1") == 1


def test_a_taken_port_names_the_holder_and_the_remedy(server: EmbeddedPostgres) -> None:
    server.stop()
    remedy = pytest.raises(EmbeddedPostgresError, match=rf"pid {os.getpid()}.*BIOLOUPE_DB_PORT")
    with socket.create_server(("127.0.0.1", server.port)), remedy:
        server.start()
    server.start()


def test_another_server_on_the_port_is_named_by_its_directory(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    second = EmbeddedPostgres(tmp_path / "second", server.port)
    with pytest.raises(EmbeddedPostgresError) as caught:
        second.start()
    assert str(server.data) in str(caught.value)


def test_another_port_than_the_running_one(server: EmbeddedPostgres) -> None:
    server.start()
    with pytest.raises(EmbeddedPostgresError, match=f"runs on port {server.port}"):
        EmbeddedPostgres(server.home, server.port + 1).start()


def test_data_of_another_version_is_left_alone(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"Postgres 15, and 18 .*pg_dump"):
        server.start()
    (server.data / "PG_VERSION").write_text("18\n")
    server.start()


def test_a_server_that_refuses_to_start_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    _ask(server, "alter system set shared_preload_libraries = 'no_such_library'")
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="no_such_library"):
        server.start()
    (server.data / "postgresql.auto.conf").write_text("")
    server.start()


def test_reset_removes_the_data_and_changes_the_password(server: EmbeddedPostgres) -> None:
    server.start()
    _ask(server, "create table if not exists gone as select 1")
    password = server.password()
    server.reset()
    assert not server.data.exists()
    with pytest.raises(EmbeddedPostgresError, match="bioloupe db start"):
        server.url()
    server.start()
    assert server.password() != password
    assert _ask(server, "select to_regclass('gone')") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_root_follows_the_directory_as_it_opens_and_closes() -> None:
    home = Path(tempfile.mkdtemp(prefix="bioloupe "))
    server = EmbeddedPostgres(home, free_port())
    try:
        owners = []
        for mode in (0o755, 0o700, 0o755):
            home.chmod(mode)
            server.start()
            _ask(server, "create table if not exists kept as select 42 as answer")
            assert _ask(server, "select answer from kept") == 42
            owners.append(server.data.owner())
            server.stop()
        # `nobody` where it gets there; root's own, in a user namespace, once it did not: nothing changes hands twice.
        assert owners == ["nobody", "root", "root"]
    finally:
        server.stop()
        shutil.rmtree(home)
