"""The main job from outside: `bioloupe refresh`, a synthetic registry, a real Postgres, a model API on loopback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from dagster import AssetKey, DagsterInstance
from sqlalchemy.engine import make_url

from orchestration.local.postgres import EmbeddedPostgres
from tests import leaks
from tests.conftest import free_port
from tests.openai_server import OpenAIServer

pytestmark = pytest.mark.integration
STUDIES = 250
API_KEY, ALERT_PASSWORD = "sk-test-5b1e77c0", "alerts-c4d9e2"


@dataclass
class House:
    """One bioloupe installation of a test's own: its environment, and how to ask its warehouse."""

    environment: dict[str, str]
    url: str

    def bioloupe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "orchestration", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, check=False)

    def rows(self, statement: str, database: str = "bioloupe") -> list[tuple[Any, ...]]:
        url = make_url(self.url).set(database=database).render_as_string(hide_password=False)
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def one(self, statement: str, database: str = "bioloupe") -> Any:
        return self.rows(statement, database)[0][0]


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, model: OpenAIServer) -> Iterator[House]:
    home, port = tmp_path_factory.mktemp("house"), free_port()
    own = {
        "BIOLOUPE_HOME": str(home),
        "BIOLOUPE_DB_PORT": str(port),
        "BIOLOUPE_SANDBOX_STUDIES": str(STUDIES),
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": API_KEY,
        "BIOLOUPE_ALERT_URLS": f"json://robot:{ALERT_PASSWORD}@127.0.0.1:9/hook",
        "PGPASSFILE": str(home / "pgpass"),
    }
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("BIOLOUPE_", "OPENAI_", "DAGSTER_", "CTGOV_"))
    }
    house = House({**inherited, **own}, "")
    house.environment.pop("DATABASE_URL", None)
    started = house.bioloupe("db", "start")
    assert started.returncode == 0, started.stderr
    house.url = EmbeddedPostgres(home, port).url()
    yield house
    house.bioloupe("db", "stop")


@pytest.fixture(scope="module")
def first(house: House) -> str:
    done = house.bioloupe("refresh")
    log = Path(house.environment["BIOLOUPE_HOME"]) / "logs" / "refresh.log"
    assert done.returncode == 0, done.stdout + done.stderr + log.read_text()[-4000:]
    return done.stdout


TEXTS = "select count(*) from intermediate.int_stop_reason_texts"
ANSWERS = "select count(*) from enrichment.stop_reasons where status = 'answered'"
FINGERPRINT = """
select md5(string_agg(nct_id || content_hash || loaded_at || xmin::text, ',' order by nct_id)) from raw_ctgov.studies
"""


def test_a_refresh_fills_every_layer(house: House, first: str) -> None:
    assert house.one("select count(*) from raw_ctgov.studies") == STUDIES
    assert house.one("select count(*) from ctgov.studies") == STUDIES
    assert house.one("select count(*) from analytics.dim_trials") == STUDIES
    assert house.one("select count(*) from ctgov.conditions") >= STUDIES
    assert house.one("select count(*) from analytics.fct_trial_pipeline") > 0
    assert f"{STUDIES} new" in first
    assert house.one("select count(*) from studies") == STUDIES, "SQL written for AACT may leave the schema out"


def test_a_model_s_run_tells_its_rows_columns_and_where_they_come_from(
    house: House, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_DATABASE_URL", house.url.rsplit("/", 1)[0] + "/dagster")
    with DagsterInstance.from_config(str(Path(house.environment["BIOLOUPE_HOME"]) / "dagster")) as instance:
        event = instance.get_latest_materialization_event(AssetKey(["ctgov", "stg_ctgov__conditions"]))
    assert event
    assert event.asset_materialization
    told = event.asset_materialization.metadata
    assert told["dagster/row_count"].value == house.one("select count(*) from ctgov.conditions")
    columns: Any = told["dagster/column_schema"].value
    assert ("nct_id", "character varying") in [(column.name, column.type) for column in columns.columns]
    lineage: Any = told["dagster/column_lineage"].value
    assert {dep.column_name for dep in lineage.deps_by_column["name"]} == {"payload"}


def test_every_stop_reason_text_is_read(house: House, first: str) -> None:
    assert house.one(TEXTS) > 0
    assert house.one(ANSWERS) == house.one(TEXTS)
    read = (
        "select count(*) from analytics.fct_stopped_trials where why_stopped is not null and read_status <> 'answered'"
    )
    assert house.one(read) == 0


def test_evidence_stands_in_the_text(house: House, first: str) -> None:
    elsewhere = "select count(*) from enrichment.stop_reasons where strpos(lower(text), lower(evidence)) = 0"
    assert house.one(elsewhere) == 0


def test_nothing_secret_is_printed_or_stored(house: House, first: str) -> None:
    home = Path(house.environment["BIOLOUPE_HOME"])
    secrets = [API_KEY, ALERT_PASSWORD, str(make_url(house.url).password)]
    assert not [secret for secret in secrets if secret in first]
    # By design: the server's own files, and libpq's password file.
    assert leaks.in_files(secrets, home, but=[home / "postgres" / "data", home / "pgpass"]) == []
    for written in ("target", "logs"):
        assert leaks.in_files(secrets, Path(__file__).parents[1] / "dbt_project" / written) == []
    assert leaks.in_database(secrets, house.url.rsplit("/", 1)[0] + "/dagster") == []
    assert leaks.in_database(secrets, house.url) == []


def test_a_second_refresh_changes_nothing_and_asks_nothing(house: House, first: str, model: OpenAIServer) -> None:
    before, asked = house.one(FINGERPRINT), len(model.requests)
    done = house.bioloupe("refresh")
    assert done.returncode == 0, done.stdout
    assert "nothing to do" in done.stdout
    assert house.one(FINGERPRINT) == before
    assert len(model.requests) == asked


def test_a_night_later_just_what_changed_is_loaded(house: House, first: str) -> None:
    before = dict(house.rows("select nct_id, content_hash from raw_ctgov.studies"))
    unchanged_id = "select nct_id, xmin::text from raw_ctgov.studies"
    versions = dict(house.rows(unchanged_id))
    assert house.bioloupe("sandbox", "advance", "--nights", "3").returncode == 0
    done = house.bioloupe("refresh")
    assert done.returncode == 0, done.stdout
    after = dict(house.rows("select nct_id, content_hash from raw_ctgov.studies"))
    changed = {nct_id for nct_id in before if after[nct_id] != before[nct_id]}
    gone = {nct_id for (nct_id,) in house.rows("select nct_id from raw_ctgov.studies where deleted_at is not null")}
    assert set(after) > set(before) or changed
    rewritten = {nct_id for nct_id, version in house.rows(unchanged_id) if versions.get(nct_id) != version}
    assert rewritten == changed | gone | (set(after) - set(before))
    assert house.one("select count(*) from ctgov.studies") == len(after)
    assert f"{len(set(after) - set(before))} new, {len(changed)} changed, {len(gone)} gone" in done.stdout


def test_status_tells_freshness_rows_and_runs(house: House, first: str) -> None:
    done = house.bioloupe("status")
    assert done.returncode == 0, done.stderr
    assert "registry   as of" in done.stdout
    assert "nightly_refresh" in done.stdout
    assert "success" in done.stdout


def test_plain_dbt_finds_the_warehouse(house: House, first: str) -> None:
    root = Path(__file__).parents[1]
    environment = {**house.environment, "DBT_PROJECT_DIR": "dbt_project", "DBT_PROFILES_DIR": "."}
    dbt = [str(Path(sys.executable).with_name("dbt")), "build", "-s", "dim_trials"]
    done = subprocess.run(dbt, cwd=root, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout


def test_ctrl_c_in_a_load_ends_the_refresh_and_is_no_reason_to_try_again(house: House, first: str) -> None:
    """Last, because another number of studies is another registry."""
    environment = {**house.environment, "BIOLOUPE_SANDBOX_STUDIES": "30000"}
    command = [sys.executable, "-m", "orchestration", "refresh"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
        assert run.stdout
        lines = list(iter(run.stdout.readline, "load             begins\n"))
        lines.append(run.stdout.readline())
        began = time.monotonic()
        os.killpg(run.pid, signal.SIGINT)
        lines += run.stdout.readlines()
    assert run.returncode == 1, lines
    assert time.monotonic() - began < 20
    assert "load failed: interrupted\n" in lines, "".join(lines)
    assert not [line for line in lines if "tries again" in line or "staging" in line]
    assert house.one("select status from runs order by id desc limit 1", "dagster") == "FAILURE"
