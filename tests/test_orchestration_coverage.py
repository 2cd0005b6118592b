"""Every field of a record is staged or has a reason, the page says so truly, and fields that are new are noticed."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from ingest.sandbox.vocabulary import api_fields
from orchestration.checks import drift
from orchestration.checks.drift import examine_fields
from orchestration.coverage.leaves import Leaf, leaves
from orchestration.coverage.page import PAGE, coverage, page, uncovered
from orchestration.coverage.probe import record
from orchestration.local.postgres import EmbeddedPostgres
from orchestration.warehouse import connect, query
from tests.dbt_warehouse import DbtWarehouse


def by_path(path: str) -> Leaf:
    (leaf,) = (leaf for leaf in leaves() if ".".join(leaf.names) == path)
    return leaf


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, child in value.items() for k, v in flat(child, f"{path}.{key}".strip(".")).items()}
    if isinstance(value, list):
        return {k: v for child in reversed(value) for k, v in flat(child, path).items()}
    return {path: value}


def test_the_probe_has_every_field_and_a_variant_differs_in_one() -> None:
    complete = flat(record())
    assert complete.keys() == {".".join(leaf.names) for leaf in leaves() if leaf.kind != "tree"}
    path = "protocolSection.statusModule.whyStopped"
    other = flat(record(by_path(path)))
    assert {key for key in complete if complete[key] != other[key]} == {path}


def test_all_fields_of_the_registry_are_known() -> None:
    known = {".".join(leaf.names) for leaf in leaves()} | {
        ".".join(leaf.names[:-1]) for leaf in leaves() if leaf.names[-2:-1] == ["geoPoint"]
    }
    assert {field.path for field in api_fields() if field.kind != "struct"} <= known


@pytest.fixture(scope="module")
def found(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Leaf, list[str]]:
    warehouse = DbtWarehouse(postgres_server.url("postgres"), tmp_path_factory.mktemp("coverage"))
    warehouse.succeed("compile", "--full-refresh", "--select", "path:models/staging")
    return coverage(warehouse.url, warehouse.scratch / "target" / "manifest.json")


@pytest.mark.integration
def test_the_page_is_up_to_date(found: Mapping[Leaf, list[str]]) -> None:
    assert page(found) == PAGE.read_text(), "`python -m orchestration.coverage` writes it anew"


@pytest.mark.integration
def test_every_field_is_staged_or_has_a_reason(found: Mapping[Leaf, list[str]]) -> None:
    assert uncovered(found) == []


@pytest.mark.integration
def test_what_a_field_reaches_is_found_by_changing_it(found: Mapping[Leaf, list[str]]) -> None:
    status = found[by_path("protocolSection.statusModule.overallStatus")]
    assert status == ["studies.overall_status"]
    start = found[by_path("protocolSection.statusModule.startDateStruct.date")]
    assert {"studies.start_date", "studies.start_month_year", "calculated_values.actual_duration"} <= set(start)
    role = found[by_path("protocolSection.contactsLocationsModule.locations.contacts.role")]
    assert set(role) == {"facility_contacts", "facility_investigators"}
    denominators = found[by_path("resultsSection.outcomeMeasuresModule.outcomeMeasures.classes.denoms.counts.value")]
    assert denominators == ["outcome_measurements.number_analyzed"]


CARRY = """
update raw_ctgov.studies
set payload = jsonb_set(payload, '{protocolSection,newModule}', '{"list": [{"name": 1}]}'), loaded_at = %s
where nct_id in (select nct_id from raw_ctgov.studies order by nct_id limit %s) returning 1
"""
DROP = "update raw_ctgov.studies set payload = payload #- '{protocolSection,newModule}', loaded_at = %s returning 1"


@pytest.fixture
def connection(filled_warehouse_url: str) -> Iterator[Connection]:
    with closing(connect(filled_warehouse_url)) as connection:
        yield connection


@pytest.mark.integration
def test_a_new_field_is_named_with_the_studies_that_carry_it_until_none_does(
    filled_warehouse_url: str, connection: Connection
) -> None:
    assert examine_fields(connection).passed
    query(filled_warehouse_url, CARRY, ("2100-01-01", 3))
    for _ in range(2):
        warned = examine_fields(connection)
        assert (warned.passed, warned.severity, warned.holds) == (False, "WARN", False)
        assert warned.numbers == {"protocolSection.newModule": 3}
    query(filled_warehouse_url, DROP, ("2100-01-02",))
    assert examine_fields(connection).passed


@pytest.mark.integration
def test_a_field_that_has_become_known_is_no_longer_named(filled_warehouse_url: str, connection: Connection) -> None:
    query(filled_warehouse_url, CARRY, ("2100-01-01", 1))
    assert not examine_fields(connection).passed
    learned = Leaf("protocolSection.newModule", "tree", "listed since")
    assert examine_fields(connection, [*leaves(), learned]).passed


@pytest.mark.integration
def test_of_very_many_new_studies_a_sample_is_read(
    filled_warehouse_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "MOST", 50)
    query(filled_warehouse_url, CARRY, ("2100-01-01", 150))
    verdict = examine_fields(connection)
    assert 0 < verdict.numbers["protocolSection.newModule"] < 150
    assert "one study in 3" in verdict.text
