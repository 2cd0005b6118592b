"""A Postgres that speaks TLS alone, with a certificate by an authority of its own. The embedded one has no TLS."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tests.conftest import free_port

CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_cert_file = '{home}/server.pem'
ssl_key_file = '{home}/server.key'
fsync = off
"""
SELF_SIGNED = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]


def programs() -> Path | None:
    """Where this machine has a Postgres built with OpenSSL; None where it has none."""
    candidates = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    for directory in candidates:
        if all((directory / name).exists() for name in ("initdb", "postgres")) and shutil.which("openssl"):
            linked = subprocess.run(["ldd", directory / "postgres"], capture_output=True, text=True, check=False)
            if "libssl" in linked.stdout:
                return directory
    return None


@dataclass(frozen=True)
class TlsServer:
    """`authority` signed its certificate, for localhost; `stranger` is another authority."""

    port: int
    password: str
    authority: Path
    stranger: Path

    def url(self, authority: Path, host: str = "localhost", database: str = "postgres") -> str:
        """The DSN that trusts certificates of one authority alone, and asks for the host's name in them."""
        login = f"postgresql://bioloupe:{self.password}@{host}:{self.port}/{database}"
        return f"{login}?sslmode=verify-full&sslrootcert={authority}"


@contextmanager
def tls_server(directory: Path, password: str) -> Iterator[TlsServer]:
    """Run one, as nobody where the tests run as root, which Postgres refuses to."""
    home, port = Path(tempfile.mkdtemp(prefix="tls")), free_port()
    home.chmod(0o755)
    who = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    try:
        _certificates(home)
        (home / "password").write_text(password)
        (home / "data").mkdir(mode=0o700)
        if who:
            for name in ("data", "server.key"):
                shutil.chown(home / name, **who)
        initdb = [directory / "initdb", "-D", home / "data", "-U", "bioloupe", "-A", "scram-sha-256", "--no-sync"]
        subprocess.run([*initdb, "--pwfile", home / "password"], check=True, capture_output=True, cwd=home, **who)
        with open(home / "data" / "postgresql.conf", "a") as file:
            file.write(CONFIGURATION.format(home=home))
        (home / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        command = [directory / "postgres", "-D", home / "data", "-p", str(port)]
        with open(home / "log", "wb") as log, subprocess.Popen(command, cwd=home, stderr=log, **who) as process:
            server = TlsServer(port, password, home / "ca.pem", home / "stranger.pem")
            try:
                _wait(server)
                yield server
            finally:
                process.terminate()
    finally:
        shutil.rmtree(home)


def _certificates(home: Path) -> None:
    for name in ("ca", "stranger"):
        _openssl(home, *SELF_SIGNED, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    _openssl(
        home, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "server.key", "-out", "server.csr"
    )
    (home / "names").write_text("subjectAltName=DNS:localhost\n")
    signed = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    _openssl(home, *signed, "-days", "2", "-extfile", "names", "-out", "server.pem")
    (home / "server.key").chmod(0o600)


def _openssl(home: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=home, check=True, capture_output=True)


def _wait(server: TlsServer) -> None:
    give_up = time.monotonic() + 30
    while not _answers(server):
        if time.monotonic() > give_up:
            raise TimeoutError("the TLS server does not take connections")
        time.sleep(0.1)


def _answers(server: TlsServer) -> bool:
    try:
        psycopg2.connect(server.url(server.authority)).close()
        return True
    except psycopg2.OperationalError:
        return False
