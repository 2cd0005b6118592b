"""dbt's connection: profiles.yml against DATABASE_URL in all its spellings, rendered by dbt itself."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from dbt.config.profile import Profile, read_profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL, make_url

from orchestration.local.postgres import EmbeddedPostgres
from orchestration.warehouse import connect

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = ("DATABASE_URL", "TRANSFORMER_DATABASE_URL", "BIOLOUPE_DB_PORT", "BIOLOUPE_ENV", "BIOLOUPE_BRANCH")
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def _profile(**environment: str) -> Profile:
    set_from_args(Namespace(), None)
    set_invocation_context({**{k: v for k, v in os.environ.items() if k not in VARIABLES}, **environment})
    return Profile.from_raw_profiles(read_profile(str(ROOT)), "bioloupe", ProfileRenderer({}))


def _parts(url: str) -> tuple[Any, ...]:
    c: Any = _profile(DATABASE_URL=url).credentials
    return c.host, c.port, c.user, c.password, c.database


@pytest.mark.parametrize("url", ["", None])
def test_without_a_url_it_is_the_embedded_server(url: str | None) -> None:
    profile = _profile(BIOLOUPE_DB_PORT="6000", **({} if url is None else {"DATABASE_URL": url}))
    c: Any = profile.credentials
    assert (c.host, c.port, c.user, c.password, c.database) == ("127.0.0.1", 6000, "bioloupe", "", "bioloupe")
    assert (_profile().target_name, profile.threads) == ("dev", 2)


@pytest.mark.parametrize("target", ["dev", "ci", "prod"])
def test_the_environment_names_the_target(target: str) -> None:
    assert _profile(BIOLOUPE_ENV=target).target_name == target


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgres://u@h/db", ("h", 5432, "u", "", "db")),
        ("postgresql+psycopg2://u:007@h:1/db", ("h", 1, "u", "007", "db")),
        ("postgresql://u:12345@h/db", ("h", 5432, "u", "12345", "db")),
        ("postgresql://u:None@[::1]:99/db", ("::1", 99, "u", "None", "db")),
        ("postgresql://h/db?application_name=a@b", ("h", 5432, "", "", "db")),
        ("postgresql:///db?host=%2Fvar%2Frun&port=77", ("/var/run", 77, "", "", "db")),
    ],
)
def test_spellings(url: str, parts: tuple[Any, ...]) -> None:
    assert _parts(url) == parts


def test_a_branch_is_the_schema_of_staging_s_target() -> None:
    profile = _profile(BIOLOUPE_ENV="staging", BIOLOUPE_BRANCH="fix_1")
    assert (profile.target_name, profile.credentials.schema) == ("staging", "fix_1")
    assert _profile().credentials.schema == "public"


def test_dbt_has_a_login_of_its_own_where_one_is_set() -> None:
    c: Any = _profile(
        DATABASE_URL="postgresql://u:p@h/d", TRANSFORMER_DATABASE_URL="postgresql://t:q@h2:7/e"
    ).credentials
    assert (c.host, c.port, c.user, c.password, c.database) == ("h2", 7, "t", "q", "e")


def test_encryption_is_asked_for() -> None:
    c: Any = _profile(DATABASE_URL="postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fa%2Fb.crt").credentials
    assert (c.sslmode, c.sslrootcert) == ("verify-full", "/a/b.crt")


def test_what_is_no_url_says_so_where_dbt_names_the_host() -> None:
    assert "DATABASE_URL-must-look-like" in _parts("mysql://h/d")[0]


@settings(deadline=None)  # a busy machine fails no test
@given(user=PRINTABLE, password=PRINTABLE)
def test_any_user_and_password_as_sqlalchemy_writes_them(user: str, password: str) -> None:
    url = URL.create("postgresql", user, password, "host.example", 6543, "db")
    assert _parts(url.render_as_string(hide_password=False)) == ("host.example", 6543, user, password, "db")


@pytest.fixture
def odd_user(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a role whose name and password need percent-encoding."""
    with closing(connect(postgres_server.url("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("""create role "ü@b" superuser login password 'p:q/%"\\{{ x }} ''@'""")
        url = make_url(postgres_server.url("postgres")).set(username="ü@b", password="p:q/%\"\\{{ x }} '@")
        yield url.render_as_string(hide_password=False)
        cursor.execute('drop role "ü@b"')


@pytest.mark.integration
def test_dbt_debug_connects_from_the_root(
    odd_user: str, postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\nversion: '1.0'\nprofile: bioloupe\nflags: {}\n")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{postgres_server.port}:*:bioloupe:{postgres_server.password()}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DBT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    for url in (odd_user, f"postgresql://bioloupe@127.0.0.1:{postgres_server.port}/postgres"):
        monkeypatch.setenv("DATABASE_URL", url)
        assert dbtRunner().invoke(["debug", "--connection", "--quiet"]).success
