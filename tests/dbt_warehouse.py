"""A warehouse for dbt to build in: raw tables filled by hand, `dbt` as typed in a terminal, and answers to SQL."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

ROOT = Path(__file__).resolve().parent.parent
RAW = """
create schema raw_ctgov;
create table raw_ctgov.studies (
    nct_id text primary key, last_update_post_date date, content_hash text not null, payload jsonb not null,
    loaded_at timestamptz not null, deleted_at timestamptz, found_by text, _dlt_load_id text not null
);
create table raw_ctgov.rejected_studies (
    nct_id text, reason text, payload text, content_hash text, loaded_at timestamptz, _dlt_load_id text
);
create table raw_ctgov.registry_versions (
    data_timestamp timestamptz, api_version text, observed_at timestamptz, studies_total bigint, scope text,
    api_url text
);
create table raw_ctgov.reconciliations (
    began_at timestamptz primary key, finished_at timestamptz not null, data_timestamp text, api_url text not null,
    scope text, studies_total bigint, studies_read bigint not null, missed_new bigint not null,
    missed_changes bigint not null, silent_changes bigint not null, not_due bigint not null, gone bigint not null,
    returned bigint not null, rejected bigint not null, held_back bigint not null, note text
);
"""
ENRICHMENT = (ROOT / "orchestration" / "enrichment" / "schema.sql").read_text()
UPSERT = """
insert into raw_ctgov.studies (nct_id, content_hash, payload, loaded_at, found_by, _dlt_load_id) values %s
on conflict (nct_id) do update
set content_hash = excluded.content_hash, payload = excluded.payload, loaded_at = excluded.loaded_at,
    found_by = excluded.found_by, deleted_at = null
"""


@dataclass(frozen=True)
class DbtWarehouse:
    """An otherwise empty database at `url`; what dbt writes to disk goes to `scratch`."""

    url: str
    scratch: Path

    def create_tables(self) -> None:
        self.execute(RAW + ENRICHMENT)

    def load(self, studies: Iterable[Mapping[str, Any]], at: str, found_by: str | None = None) -> None:
        """Put records into the raw layer as a load at the time `at` would."""
        rows = []
        for study in studies:
            text = json.dumps(study)
            nct_id = study["protocolSection"]["identificationModule"]["nctId"]
            rows.append((nct_id, hashlib.sha256(text.encode()).hexdigest(), text, at, found_by, "1"))
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            execute_values(cursor, UPSERT, rows)

    def dbt(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run dbt from the checkout's root with the project's own profiles, and some more `environment`."""
        variables = os.environ | {
            "DATABASE_URL": self.url,
            "BIOLOUPE_ENV": "ci",
            "DBT_PROJECT_DIR": str(ROOT / "dbt_project"),
            "DBT_PROFILES_DIR": str(ROOT),
            "DBT_TARGET_PATH": str(self.scratch / "target"),
            "DBT_LOG_PATH": str(self.scratch / "logs"),
            "DBT_USE_COLORS": "false",
            "DBT_SHOW_ALL_DEPRECATIONS": "true",
            **(environment or {}),
        }
        command = [str(Path(sys.executable).parent / "dbt"), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False
        )

    def build(self, *arguments: str) -> str:
        """Run `dbt build` (models and tests), which must succeed; its output."""
        return self.succeed("build", *arguments)

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run `dbt run` (models alone), which must succeed; its output."""
        return self.succeed("run", *arguments, environment=environment)

    def succeed(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        result = self.dbt(*arguments, environment=environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def execute(self, statement: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
