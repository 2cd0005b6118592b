"""Real studies in two versions, loaded one after the other: the changes are those that a second reading finds."""

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from orchestration.local.postgres import EmbeddedPostgres
from tests.aact_reading import dig, full_date
from tests.dbt_warehouse import DbtWarehouse

pytestmark = pytest.mark.integration
Record = dict[str, Any]
Change = tuple[str, str, str | None, str | None, int | None]

STATUS, DESIGN = "protocolSection.statusModule", "protocolSection.designModule"
SPONSORS, TITLES = "protocolSection.sponsorCollaboratorsModule", "protocolSection.identificationModule"
TEXTS = {
    "brief_title": f"{TITLES}.briefTitle",
    "official_title": f"{TITLES}.officialTitle",
    "overall_status": f"{STATUS}.overallStatus",
    "enrollment_type": f"{DESIGN}.enrollmentInfo.type",
    "lead_sponsor": f"{SPONSORS}.leadSponsor.name",
    "start_date_type": f"{STATUS}.startDateStruct.type",
    "primary_completion_date_type": f"{STATUS}.primaryCompletionDateStruct.type",
    "completion_date_type": f"{STATUS}.completionDateStruct.type",
}
DATES = {"start_date": "startDate", "primary_completion_date": "primaryCompletionDate"}
DATES["completion_date"] = "completionDate"


@pytest.fixture(scope="module")
def pairs(shared: Path) -> dict[str, tuple[Record, Record]]:
    """The oldest and the newest version of each study, by the registry's update date and by when it was fetched."""
    found: dict[str, dict[tuple[str, str], Record]] = {}
    with gzip.open(shared / "registry" / "ctgov_v2_study_versions.ndjson.gz", "rt") as lines:
        for record in map(json.loads, lines):
            updated = dig(record["study"], f"{STATUS}.lastUpdatePostDateStruct.date", "")
            found.setdefault(record["nctId"], {})[updated, record["versionHolder"]] = record["study"]
    return {nct_id: (v[min(v)], v[max(v)]) for nct_id, v in found.items()}


@pytest.fixture(scope="module")
def warehouse(
    pairs: dict[str, tuple[Record, Record]],
    postgres_server: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> DbtWarehouse:
    with closing(psycopg2.connect(postgres_server.url("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database test_dbt_history_real")
    warehouse = DbtWarehouse(postgres_server.url("test_dbt_history_real"), tmp_path_factory.mktemp("dbt versions"))
    warehouse.create_tables()
    warehouse.load([older for older, _ in pairs.values()], "2026-03-01T07:00Z", "first_load")
    warehouse.run("--select", "+fct_trial_changes")
    warehouse.load([newer for _, newer in pairs.values()], "2026-03-02T07:00Z", "nightly")
    warehouse.run("--select", "+fct_trial_changes")
    return warehouse


def changes(nct_id: str, older: Record, newer: Record) -> Iterator[Change]:
    """(study, field, old, new, difference) of what differs, text as the database gives it."""
    for field, path in TEXTS.items():
        yield nct_id, field, dig(older, path), dig(newer, path), None
    for field, name in DATES.items():
        old, new = (dig(record, f"{STATUS}.{name}Struct.date") for record in (older, newer))
        yield nct_id, field, old, new, days(old, new)
    for field, (was, now) in {
        "enrollment": [dig(record, f"{DESIGN}.enrollmentInfo.count") for record in (older, newer)],
        "site_count": [len(dig(r, "protocolSection.contactsLocationsModule.locations", [])) for r in (older, newer)],
    }.items():
        yield nct_id, field, text(was), text(now), None if None in (was, now) else now - was
    yield nct_id, "phase", *("/".join(dig(r, f"{DESIGN}.phases", [])) or None for r in (older, newer)), None
    yield nct_id, "has_results", *(str(r["hasResults"]).lower() for r in (older, newer)), None
    yield nct_id, "why_stopped", *(spaced(dig(r, f"{STATUS}.whyStopped")) for r in (older, newer)), None
    for field, (was, now) in {
        "collaborators": [{c["name"] for c in dig(r, f"{SPONSORS}.collaborators", [])} for r in (older, newer)],
        "arms": [items(r, "armsInterventionsModule.armGroups", "label", "type") for r in (older, newer)],
        "primary_outcomes": [
            items(r, "outcomesModule.primaryOutcomes", "measure", "timeFrame") for r in (older, newer)
        ],
    }.items():
        if was != now:
            yield nct_id, field, "a set", "another set", None


def items(record: Record, path: str, *keys: str) -> set[tuple[str | None, ...]]:
    return {tuple(item.get(key) for key in keys) for item in dig(record, f"protocolSection.{path}", [])}


def text(number: int | None) -> str | None:
    return None if number is None else str(number)


def spaced(words: str | None) -> str | None:
    return " ".join(words.split()) if words else None


def days(old: str | None, new: str | None) -> int | None:
    was, now = full_date(old), full_date(new)
    if not (old and new and was and now):
        return None
    return 0 if old.startswith(new) or new.startswith(old) else (now - was).days


def test_changes_are_those_of_a_second_reading(
    warehouse: DbtWarehouse, pairs: dict[str, tuple[Record, Record]]
) -> None:
    lists = "field in ('arms', 'primary_outcomes', 'collaborators')"
    found = warehouse.rows(
        f"select nct_id, field, case when {lists} then 'a set' else old_value end,"
        f" case when {lists} then 'another set' else new_value end, difference from analytics.fct_trial_changes"
    )
    expected = {c for nct_id, (older, newer) in pairs.items() for c in changes(nct_id, older, newer) if c[2] != c[3]}
    assert set(found) == expected
    assert len(found) == len(expected) > 100


def test_a_status_that_the_registry_derives_changes_without_an_update(warehouse: DbtWarehouse) -> None:
    assert (
        "NCT05294952",
        "NOT_YET_RECRUITING",
        "UNKNOWN",
        "2024-02-05",
    ) in warehouse.rows(
        "select nct_id, old_value, new_value, registry_date::text from analytics.fct_trial_changes"
        " where field = 'overall_status'"
    )
