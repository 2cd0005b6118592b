"""Branch deployments: names that are safe, schemas of their own, and nothing else touched."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from click.testing import CliRunner
from dagster import AssetKey
from hypothesis import given
from hypothesis import strategies as st

from orchestration import branch_names
from orchestration.branches import branches, create, dagster_url, drop
from orchestration.cli import bioloupe
from orchestration.database_url import with_option
from orchestration.settings import ConfigurationError, read_settings, settings
from orchestration.warehouse import SCHEMAS, WarehouseError, connect, ensure, query
from tests.dbt_warehouse import DbtWarehouse

integration = pytest.mark.integration
# Every row of every table of the shared schemas: how many, and a sum over their hashes; and who may do what.
TABLES = "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2"
SUM = "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0), max(t.xmin::text::bigint) from {}.{} as t"
SCHEMA_NAMES = "select nspname::text from pg_namespace where not starts_with(nspname, 'pg_') order by 1"


def _fingerprint(url: str) -> dict[str, Any]:
    return {f"{s}.{t}": query(url, SUM.format(s, t)) for s, t in query(url, TABLES, (list(SCHEMAS),))}


def _schemas(url: str) -> list[str]:
    return [name for (name,) in query(url, SCHEMA_NAMES)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("feature/Phase-2", "feature_phase_2"),
        ("pg_catalog", "b_pg_catalog"),
        ("2026-11 fix", "b_2026_11_fix"),
        ("a__b", "a_b"),
        ("x'; drop schema ctgov; --", "x_drop_schema_ctgov"),
    ],
)
def test_names_of_branches_become_names_of_schemas(name: str, expected: str) -> None:
    assert branch_names.slug(name) == expected


@hypothesis.settings(deadline=None)  # a busy machine fails no test
@given(st.text(max_size=120))
def test_any_name_is_refused_or_made_safe(name: str) -> None:
    try:
        slug = branch_names.slug(name)
    except ValueError:
        return
    assert branch_names.is_slug(slug)
    assert branch_names.slug(slug) == slug
    made = branch_names.schema(slug, "intermediate")
    assert len(made.encode()) <= 63
    assert branch_names.branch_of(made) == slug


def test_long_names_stay_apart() -> None:
    long = "feature/" + "very-" * 20
    assert branch_names.slug(long + "1") != branch_names.slug(long + "2")


@pytest.mark.parametrize("name", [*SCHEMAS, "public", "raw_ctgov_staging", "pg_catalog", "__ctgov", "Ab__ctgov"])
def test_a_shared_schema_is_never_a_branch_s(name: str) -> None:
    assert branch_names.branch_of(name) is None


@pytest.mark.usefixtures("own_settings")
def test_staging_needs_a_branch_and_nothing_else_may_have_one() -> None:
    with pytest.raises(ConfigurationError, match=r"BIOLOUPE_BRANCH.*bioloupe branch create"):
        read_settings(BIOLOUPE_ENV="staging")
    with pytest.raises(ConfigurationError, match=r"BIOLOUPE_BRANCH='Fix/1': .* fix_1"):
        read_settings(BIOLOUPE_ENV="staging", BIOLOUPE_BRANCH="Fix/1")
    with pytest.raises(ConfigurationError, match="BIOLOUPE_BRANCH='fix_1': only BIOLOUPE_ENV=staging"):
        read_settings(BIOLOUPE_BRANCH="fix_1")
    config = read_settings(BIOLOUPE_ENV="staging", BIOLOUPE_BRANCH="fix_1")
    assert config.home == config.shared_home / "branches" / "fix_1"
    assert (config.schema_of("ctgov"), read_settings().schema_of("ctgov")) == ("fix_1__ctgov", "ctgov")


def test_options_pile_up_in_a_url_that_every_client_reads() -> None:
    url = with_option("postgresql://u:p%40@h/d?sslmode=require&options=-cgeqo%3Doff", "search_path", "x__dagster")
    from ingest.pipelines import _credentials

    for text in (url, _credentials(url).to_native_representation()):
        assert "options=-cgeqo%3Doff%09-csearch_path%3Dx__dagster" in text
        assert "sslmode=require" in text


@integration
def test_a_branch_is_built_beside_production_and_dropped(filled_warehouse_url: str, tmp_path: Path) -> None:
    url = filled_warehouse_url
    before, schemas = _fingerprint(url), _schemas(url)
    config = read_settings(
        BIOLOUPE_ENV="staging", BIOLOUPE_BRANCH="fix_1", DATABASE_URL=url, BIOLOUPE_HOME=tmp_path, _env_file=None
    )
    with pytest.raises(WarehouseError, match="bioloupe branch create fix_1"):
        ensure(config)
    made = create(url, "fix/1")
    assert create(url, "fix/1") == made
    assert ensure(config).url == url
    DbtWarehouse(url, tmp_path).run("--target", "staging", environment={"BIOLOUPE_BRANCH": "fix_1"})
    own, shared = (query(url, f"select count(*) from {s}.dim_trials") for s in ("fix_1__analytics", "analytics"))
    assert own == shared != [(0,)]
    assert _fingerprint(url) == before
    (tmp_path / "branches" / "fix_1").mkdir(parents=True)
    drop(url, branches(url)[0], tmp_path)
    assert _schemas(url) == schemas
    assert _fingerprint(url) == before
    assert not (tmp_path / "branches" / "fix_1").exists()


@integration
def test_dbt_refuses_an_unsafe_branch(warehouse_url: str, tmp_path: Path) -> None:
    done = DbtWarehouse(warehouse_url, tmp_path).dbt(
        "parse", "--target", "staging", environment={"BIOLOUPE_BRANCH": "a__ctgov"}
    )
    assert done.returncode, done.stdout
    assert "BIOLOUPE_BRANCH=a__ctgov" in done.stdout


@integration
def test_neighbours_stay(warehouse_url: str, tmp_path: Path) -> None:
    with closing(connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create schema fix_1_2__ctgov; create schema fix__mine; create schema fixx1__ctgov")
    with pytest.raises(WarehouseError, match="fix__mine"):
        create(warehouse_url, "fix")
    other = create(warehouse_url, "fix-1")
    with pytest.raises(WarehouseError, match="those of the branch fix-1"):
        create(warehouse_url, "fix/1")
    assert [b.name for b in branches(warehouse_url)] == ["fix-1"]
    drop(warehouse_url, other, tmp_path)
    assert _schemas(warehouse_url) == ["fix_1_2__ctgov", "fix__mine", "fixx1__ctgov", "information_schema", "public"]


@integration
def test_runs_of_a_branch_are_kept_in_its_own_schema(warehouse_url: str) -> None:
    from dagster_postgres import PostgresRunStorage

    create(warehouse_url, "fix-1")
    storage = PostgresRunStorage(dagster_url(warehouse_url, "fix_1"), should_autocreate_tables=True)
    assert storage.get_runs_count() == 0
    found = query(warehouse_url, "select schemaname from pg_tables where tablename = 'runs'")
    assert found == [("fix_1__dagster",)]


@integration
@pytest.mark.usefixtures("own_settings")
def test_the_command_from_creation_to_the_end_of_the_git_branch(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _git(tmp_path, "init", "-q", "-b", "main")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first")
    _git(tmp_path, "branch", "fix/1")
    monkeypatch.setattr("orchestration.commands.branch.PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("DATABASE_URL", warehouse_url)
    assert "BIOLOUPE_BRANCH=fix_1" in _run("branch", "create", "fix/1")
    assert "fix/1" in _run("branch", "list")
    assert "every branch" in _run("branch", "sync", "--yes")
    _git(tmp_path, "branch", "-D", "fix/1")
    assert "removed fix/1" in _run("branch", "sync", "--yes")
    assert _run("branch", "list") == ""
    assert "no branch deployment ctgov" in _run("branch", "drop", "ctgov", "--yes", code=1)
    (tmp_path / ".git").rename(tmp_path / "no")
    assert "nothing was done" in _run("branch", "sync", "--yes", code=1)


def test_a_branch_s_definitions_neither_load_nor_pay(tmp_path: Path) -> None:
    script = """
from orchestration.definitions import defs
graph = defs.resolve_asset_graph()
print(*sorted({key.path[0] for key in graph.executable_asset_keys}))
print(*sorted({key.path[0] for key in graph.get_all_asset_keys() if graph.get(key).is_external}))
print(*[job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")])
repository = defs.get_repository_def()
print(len(repository.schedule_defs) + len(repository.sensor_defs))
reached = set(graph.get_all_asset_keys()) - {key for key in graph.get_all_asset_keys() if graph.get(key).parent_keys}
print(*[key.to_user_string() for key in reached])
"""
    environment = {**os.environ, "BIOLOUPE_ENV": "staging", "BIOLOUPE_BRANCH": "fix_1", "BIOLOUPE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    executable, external, jobs, automatic, roots = done.stdout.splitlines()
    assert not {"raw_ctgov", "enrichment"} & set(executable.split())
    assert {"ctgov", "intermediate", "analytics"} <= set(executable.split())
    assert {"raw_ctgov", "enrichment"} <= set(external.split())
    assert jobs == "nightly_refresh"
    assert automatic == "0"
    assert roots == AssetKey(["clinicaltrials_gov", "api"]).to_user_string()


def _git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


def _run(*arguments: str, code: int = 0) -> str:
    settings.cache_clear()
    done = CliRunner().invoke(bioloupe, arguments)
    assert done.exit_code == code, done.output
    return done.output
