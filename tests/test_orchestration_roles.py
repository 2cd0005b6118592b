"""Roles with least rights, on a real server: each can do its work and nothing else, tonight and tomorrow."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from ingest.clinicaltrials_gov import load
from orchestration.cli import bioloupe
from orchestration.enrichment.runner import run_task
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.local.language_model import configured_model
from orchestration.local.postgres import EmbeddedPostgres
from orchestration.local.sandbox import running_sandbox
from orchestration.role_rights import differences, rights
from orchestration.roles import LAYERS, PREFIX, ROLES, apply
from orchestration.settings import Settings, read_settings, settings
from orchestration.warehouse import SCHEMAS, WarehouseError, connect, ensure, query
from tests.dbt_warehouse import DbtWarehouse
from tests.filled import STUDIES

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_settings")]
Login = Callable[[str, str], str]


@pytest.fixture(scope="module")
def logins(postgres_server: EmbeddedPostgres) -> Iterator[Login]:
    """Gives the URL of a login that acts as one of the roles, in the database of another URL."""
    made: set[str] = set()
    server = postgres_server.url("postgres")

    def login(url: str, role: str) -> str:
        name = f"login_{role}"
        if name not in made:
            made.add(name)
            _execute(
                server,
                f"create role {name} login password 'p@ss {role}' in role {PREFIX}{role}; "
                f"alter role {name} set role = '{PREFIX}{role}'",
            )
        return make_url(url).set(username=name, password=f"p@ss {role}").render_as_string(hide_password=False)

    yield login
    for name in made:
        _execute(server, f"drop role {name}")


@pytest.fixture
def warehouse(filled_warehouse_url: str) -> str:
    """A filled warehouse, its Dagster's runs kept in the same database, with the roles in force."""
    apply(filled_warehouse_url, filled_warehouse_url)
    return filled_warehouse_url


def test_rights_are_as_declared_and_doing_it_again_changes_nothing(warehouse: str) -> None:
    assert differences(rights(warehouse)) == []
    before = query(warehouse, "select oid, relowner, relacl::text from pg_class order by 1")
    apply(warehouse, warehouse)
    assert query(warehouse, "select oid, relowner, relacl::text from pg_class order by 1") == before
    _execute(
        warehouse, "grant insert on ctgov.studies to bioloupe_reader; revoke all on schema ctgov from bioloupe_operator"
    )
    assert differences(rights(warehouse)) == [
        "ctgov: bioloupe_operator has no right, declared: reads",
        "ctgov: bioloupe_reader writes, declared: reads",
        "ctgov: bioloupe_developer writes, declared: reads",
    ]
    apply(warehouse, warehouse)
    assert differences(rights(warehouse)) == []


def test_a_reader_reads_what_is_published_and_writes_nothing(warehouse: str, logins: Login) -> None:
    reader = logins(warehouse, "reader")
    for table in ("ctgov.studies", "analytics.dim_trials", "enrichment.stop_reasons", "enrichment.llm_calls"):
        query(reader, f"select count(*) from {table}")
        for statement in (f"delete from {table}", f"insert into {table} default values", f"drop table {table}"):
            _denied(reader, statement)
    for statement in (
        "select count(*) from raw_ctgov.studies",
        "select count(*) from intermediate.int_stop_reason_texts",
        "create table ctgov.mine ()",
        "create table public.mine ()",
        "create schema mine",
        "update raw_ctgov.studies set deleted_at = now()",
        "set role bioloupe_transformer",
    ):
        _denied(reader, statement)


def test_a_loader_loads_and_sees_nothing_else(warehouse: str, logins: Login, tmp_path: Path) -> None:
    loader = logins(warehouse, "loader")
    for table in ("enrichment.stop_reasons", "ctgov.studies", "analytics.dim_trials", "checks.table_history"):
        _denied(loader, f"select count(*) from {table}")
    _denied(loader, "create schema mine")
    _execute(warehouse, "update raw_ctgov.studies set content_hash = 'old' where random() < 0.5")
    config = Settings(BIOLOUPE_HOME=tmp_path, BIOLOUPE_SANDBOX_STUDIES=STUDIES, _env_file=None)  # type: ignore[call-arg]
    with running_sandbox(config) as api_url:
        summary = load(api_url, loader, tmp_path / "dlt", full=True)
    assert summary.changed > 0
    owners = query(warehouse, "select distinct tableowner::text from pg_tables where schemaname like 'raw%%'")
    assert owners == [(PREFIX + "loader",)]


def test_a_loader_fills_an_empty_warehouse(warehouse_url: str, logins: Login, tmp_path: Path) -> None:
    config = Settings(  # type: ignore[call-arg]
        DATABASE_URL=warehouse_url, BIOLOUPE_HOME=tmp_path, BIOLOUPE_SANDBOX_STUDIES=20, _env_file=None
    )
    ensure(config)
    apply(warehouse_url, warehouse_url)
    with running_sandbox(config) as api_url:
        assert load(api_url, logins(warehouse_url, "loader"), tmp_path / "dlt").new == 20
    assert query(logins(warehouse_url, "transformer"), "select count(*) from raw_ctgov.studies") == [(20,)]


def test_a_transformer_builds_everything_and_tomorrow_all_is_readable(
    warehouse: str, logins: Login, tmp_path: Path
) -> None:
    transformer = logins(warehouse, "transformer")
    for statement in (
        "delete from raw_ctgov.studies",
        "insert into enrichment.llm_calls default values",
        "delete from enrichment.stop_reasons",
        "create schema mine",
    ):
        _denied(transformer, statement)
    DbtWarehouse(transformer, tmp_path).build("--full-refresh", "--exclude-resource-type", "unit_test")
    assert differences(rights(warehouse)) == []
    assert query(logins(warehouse, "reader"), "select count(*) from analytics.dim_trials") == [(STUDIES,)]
    owners = query(warehouse, "select distinct tableowner::text from pg_tables where schemaname = 'ctgov'")
    assert owners == [(PREFIX + "transformer",)]


def test_an_enricher_reads_texts_and_keeps_the_ledger(warehouse: str, logins: Login) -> None:
    enricher = logins(warehouse, "enricher")
    _execute(warehouse, "delete from enrichment.stop_reasons")
    run_task(enricher, STOP_REASONS, None, configured_model(Settings(_env_file=None)))  # type: ignore[call-arg]
    assert query(enricher, "select count(*) > 0 from enrichment.stop_reasons") == [(True,)]
    for statement in (
        "select count(*) from raw_ctgov.studies",
        "select count(*) from analytics.dim_trials",
        "delete from intermediate.int_stop_reason_texts",
    ):
        _denied(enricher, statement)


def test_an_operator_starts_the_system_every_night_and_reads_all_of_it(warehouse: str, logins: Login) -> None:
    operator = logins(warehouse, "operator")
    ensure(read_settings(DATABASE_URL=operator, DAGSTER_DATABASE_URL=operator))
    for layer in LAYERS:
        for (table,) in query(
            warehouse, "select tablename::text from pg_tables where schemaname = %s", (layer.schema,)
        ):
            query(operator, f'select count(*) from {layer.schema}."{table}"')
    for statement in ("delete from ctgov.studies", "delete from enrichment.llm_calls", "create schema mine"):
        _denied(operator, statement)
    query(operator, "create table reports.mine (); create table public.runs (); select 1")


def test_what_an_update_needs_is_left_to_the_owner(
    warehouse: str, logins: Login, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    operator = logins(warehouse, "operator")
    (tmp_path / "schema.sql").write_text("create table if not exists enrichment.new ();")
    monkeypatch.setattr("orchestration.warehouse._TABLES", [tmp_path / "schema.sql"])
    with pytest.raises(WarehouseError, match="bioloupe db roles --apply"):
        ensure(read_settings(DATABASE_URL=operator, DAGSTER_DATABASE_URL=operator))
    ensure(read_settings(DATABASE_URL=warehouse, DAGSTER_DATABASE_URL=operator))
    apply(warehouse, warehouse)
    ensure(read_settings(DATABASE_URL=operator, DAGSTER_DATABASE_URL=operator))


def test_a_developer_has_branches_and_leaves_production_alone(warehouse: str, logins: Login, tmp_path: Path) -> None:
    from orchestration.branches import create, drop

    developer = logins(warehouse, "developer")
    made = create(developer, "fix/1")
    branch = {"BIOLOUPE_BRANCH": "fix_1"}
    DbtWarehouse(developer, tmp_path).run("--target", "staging", "-s", "+dim_trials", environment=branch)
    assert query(developer, "select count(*) from fix_1__analytics.dim_trials") == [(STUDIES,)]
    for statement in ("drop schema ctgov cascade", "delete from ctgov.studies", "delete from enrichment.llm_calls"):
        _denied(developer, statement)
    drop(developer, made, tmp_path)


def test_a_managed_server_s_administrator_is_no_superuser(
    postgres_server: EmbeddedPostgres, logins: Login, tmp_path: Path
) -> None:
    server = postgres_server.url("postgres")
    _execute(server, "create role administrator login createrole createdb password 'a'")
    for role in ROLES:  # as if it had made them: this server's roles are older
        _execute(server, f"grant {PREFIX}{role} to administrator with admin option")
    _execute(server, "create database managed owner administrator", transaction=False)
    url = make_url(postgres_server.url("managed")).set(username="administrator", password="a")
    own = url.render_as_string(hide_password=False)
    try:
        ensure(read_settings(DATABASE_URL=own, DAGSTER_DATABASE_URL=own))
        apply(own, own)
        apply(own, own)
        assert differences(rights(own)) == []
        _denied(logins(own, "loader"), "create schema mine")
    finally:
        _execute(server, "drop database managed with (force)", transaction=False)
        _execute(server, "drop owned by administrator; drop role administrator")


def test_who_may_not_is_told_so(warehouse: str, logins: Login) -> None:
    with pytest.raises(WarehouseError, match="owns the database and has createrole") as caught:
        apply(logins(warehouse, "reader"), warehouse)
    assert "p@ss" not in str(caught.value)
    assert "p%40ss" not in str(caught.value)


def test_the_command_shows_prints_and_applies(filled_warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", filled_warehouse_url)
    monkeypatch.setenv("DAGSTER_DATABASE_URL", filled_warehouse_url)
    settings.cache_clear()
    shown = CliRunner().invoke(bioloupe, ["db", "roles"])
    assert shown.exit_code == 1
    assert "bioloupe db roles --apply" in shown.output
    script = CliRunner().invoke(bioloupe, ["db", "roles", "--sql"])
    assert script.exit_code == 0
    applied = CliRunner().invoke(bioloupe, ["db", "roles", "--apply"])
    assert applied.exit_code == 0, applied.output
    before = query(filled_warehouse_url, "select oid, relowner, relacl::text from pg_class order by 1")
    _execute(filled_warehouse_url, script.output)
    assert query(filled_warehouse_url, "select oid, relowner, relacl::text from pg_class order by 1") == before
    assert CliRunner().invoke(bioloupe, ["db", "roles", "--show"]).exit_code == 0


def test_every_schema_that_anything_writes_has_its_role(filled_warehouse_url: str, tmp_path: Path) -> None:
    declared = {layer.schema for layer in LAYERS}
    assert set(SCHEMAS) <= declared
    found = query(
        filled_warehouse_url, "select distinct schemaname::text from pg_tables where schemaname !~ '^pg_|^info'"
    )
    assert {schema for (schema,) in found} - {"public"} <= declared
    DbtWarehouse(filled_warehouse_url, tmp_path).succeed("parse")
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text())
    reads = {source["schema"] for source in manifest["sources"].values()}
    writes = {n["schema"] for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed", "snapshot")}
    assert writes <= {layer.schema for layer in LAYERS if layer.owner == "transformer"}
    assert reads <= {layer.schema for layer in LAYERS if "transformer" in (layer.owner, *layer.readers)}


def _execute(url: str, statement: str, transaction: bool = True) -> None:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = not transaction
        cursor.execute(statement)
        connection.commit()


def _denied(url: str, statement: str) -> None:
    refusal = (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.InvalidParameterValue)
    with closing(connect(url)) as connection, connection.cursor() as cursor, pytest.raises(refusal):
        cursor.execute(statement)
