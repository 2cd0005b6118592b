"""Real records staged by dbt, row for row against a second reading of them in Python."""

import gzip
import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from orchestration.checks.drift import examine_fields
from orchestration.local.postgres import EmbeddedPostgres
from tests import aact_queries, aact_reading, aact_results_reading
from tests.dbt_warehouse import ROOT, DbtWarehouse

pytestmark = pytest.mark.integration
Records = dict[str, dict[str, Any]]
CHECKS = (ROOT / "orchestration" / "checks" / "schema.sql").read_text()
QUERIES = aact_reading.QUERIES | aact_results_reading.QUERIES


@pytest.fixture(scope="module")
def records(shared: Path) -> Records:
    """All real studies, and the oddly shaped fragments; of several records of a study the first."""
    registry = shared / "registry"
    found: Records = {}
    for name in ("ctgov_v2_studies", "ctgov_v2_fragments"):
        with gzip.open(registry / f"{name}.ndjson.gz", "rt") as lines:
            for line in lines:
                record = json.loads(line)
                found.setdefault(record["protocolSection"]["identificationModule"]["nctId"], record)
    return found


@pytest.fixture(scope="module")
def staged(
    records: Records, postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> DbtWarehouse:
    with closing(psycopg2.connect(postgres_server.url("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database test_dbt_real_studies")
    warehouse = DbtWarehouse(postgres_server.url("test_dbt_real_studies"), tmp_path_factory.mktemp("dbt real"))
    warehouse.create_tables()
    warehouse.load(records.values(), at="2026-01-01T02:00Z")
    warehouse.build("--exclude-resource-type", "unit_test")
    return warehouse


def hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("reading", QUERIES, ids=lambda reading: reading.__name__)
def test_rows_are_as_a_second_reading_has_them(reading: Any, staged: DbtWarehouse, records: Records) -> None:
    built = Counter(tuple(map(hashable, row)) for row in staged.rows(QUERIES[reading]))
    expected = aact_reading.read(reading, records)
    assert expected - built == Counter()
    assert built - expected == Counter()


@pytest.mark.parametrize(("table", "paths"), aact_reading.COUNTED.items())
def test_every_element_has_a_row(table: str, paths: tuple[str, ...], staged: DbtWarehouse, records: Records) -> None:
    built = dict(staged.rows(f"select nct_id, count(*) from ctgov.{table} group by 1"))
    expected = {nct_id: aact_reading.count(record, paths) for nct_id, record in records.items()}
    assert built == {nct_id: number for nct_id, number in expected.items() if number}


@pytest.mark.parametrize("name", aact_queries.QUERIES)
def test_a_query_written_for_aact_answers_what_the_records_say(
    name: str, staged: DbtWarehouse, records: Records
) -> None:
    statement, _ = aact_queries.QUERIES[name]
    assert Counter(staged.rows(statement)) == aact_queries.expected(name, records)


def test_no_real_study_has_a_field_that_is_neither_staged_nor_listed(staged: DbtWarehouse) -> None:
    with closing(psycopg2.connect(staged.url)) as connection:
        connection.cursor().execute("create schema checks")
        connection.cursor().execute(CHECKS)
        found = examine_fields(connection)
    made_up = {"protocolSection.armsInterventionsModule.interventions.armNames", "resultsSection.hasResults"}
    fixtures = made_up | {"protocolSection.contactsLocationsModule.centralContacts.contact_type"}
    assert found.numbers.keys() <= fixtures, "what the fragments, test data of others, add by mistake"


def test_marts_cover_what_they_should(staged: DbtWarehouse, records: Records) -> None:
    stopped = {"TERMINATED", "WITHDRAWN", "SUSPENDED"}
    expected = [
        n for n, r in records.items() if aact_reading.dig(r, "protocolSection.statusModule.overallStatus") in stopped
    ]
    assert staged.rows("select count(*) from analytics.dim_trials") == [(len(records),)]
    assert staged.rows("select count(*) from analytics.fct_stopped_trials") == [(len(expected),)]
    assert staged.rows(
        "select count(*) > 0, bool_and(patients_per_site_per_month >= 0) from analytics.fct_enrollment_velocity"
    ) == [(True, True)]
