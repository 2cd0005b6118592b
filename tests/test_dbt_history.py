"""The history of trials, night after night: what makes a version, what a change says, what a run reads and writes."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from orchestration.local.postgres import EmbeddedPostgres
from tests.dbt_warehouse import DbtWarehouse

pytestmark = pytest.mark.integration

BUILT = ("--select", "+fct_trial_changes")
TESTED = ("--select", "dim_trial_versions", "fct_trial_changes", "--exclude-resource-type", "unit_test")
VERSIONS = "select *, xmin::text from analytics.dim_trial_versions order by nct_id, version"
CHANGES = "select * from analytics.fct_trial_changes order by change_id"
WATERMARKS = "delete from intermediate.staging_watermarks where relation like 'analytics.%'"
VANISH = """
update raw_ctgov.studies set deleted_at = '2026-01-03 07:00Z', loaded_at = '2026-01-03 07:00Z', found_by = 'reconcile'
where nct_id = 'NCT00000005'
"""
# What a run that reads only changed studies does not see.
UNSEEN = "update ctgov.studies set overall_status = 'UNSEEN' where nct_id = 'NCT00000006'"


def study(number: int, **modules: dict[str, Any]) -> dict[str, Any]:
    nct_id = f"NCT{number:08}"
    return {"protocolSection": {"identificationModule": {"nctId": nct_id, "briefTitle": nct_id}, **modules}}


def status(value: str, updated: str = "2025-12-30", **more: Any) -> dict[str, Any]:
    return {"overallStatus": value, "lastUpdatePostDateStruct": {"date": updated}, **more}


def design(count: int, kind: str, *phases: str) -> dict[str, Any]:
    return {"phases": list(phases), "enrollmentInfo": {"count": count, "type": kind}}


def posted(value: str, first_posted: str) -> dict[str, Any]:
    return status(value, studyFirstPostDateStruct={"date": first_posted})


def date(text: str, kind: str = "ESTIMATED") -> dict[str, str]:
    return {"date": text, "type": kind}


def sponsors(lead: str, *others: str) -> dict[str, Any]:
    return {"leadSponsor": {"name": lead}, "collaborators": [{"name": name} for name in others]}


FIRST = [
    study(
        1,
        statusModule=status("RECRUITING", startDateStruct=date("2026-01"), completionDateStruct=date("2027-01-31")),
        designModule=design(89, "ESTIMATED", "PHASE1", "PHASE2"),
        sponsorCollaboratorsModule=sponsors("Acme", "NCI", "Inserm"),
        outcomesModule={"primaryOutcomes": [{"measure": "Survival", "timeFrame": "1 year"}]},
        armsInterventionsModule={"armGroups": [{"label": "A", "type": "EXPERIMENTAL"}, {"label": "B"}]},
        contactsLocationsModule={"locations": [{"city": "Paris"}, {"city": "Rome"}]},
    ),
    study(2, designModule=design(50, "ESTIMATED", "PHASE2")),
    study(3, statusModule=status("SUSPENDED", whyStopped="No drug")),
    study(4, statusModule=status("RECRUITING")),
    study(5, statusModule=status("COMPLETED")),
    study(6, statusModule=status("COMPLETED")),
]
CHANGED = study(
    1,
    statusModule=status(
        "TERMINATED",
        "2026-01-01",
        whyStopped="Slow  accrual",
        startDateStruct=date("2026-01-15", "ACTUAL"),
        completionDateStruct=date("2026-12-31"),
    ),
    designModule=design(12, "ACTUAL", "PHASE2"),
    sponsorCollaboratorsModule=sponsors("Bolt", "Inserm", "NCI"),
    outcomesModule={"primaryOutcomes": [{"measure": "Survival"}]},
    armsInterventionsModule={"armGroups": [{"label": "B"}, {"label": "A", "type": "EXPERIMENTAL"}]},
    contactsLocationsModule={"locations": [{"city": "Rome"}]},
)
SILENT = study(2, designModule=design(50, "ACTUAL", "PHASE2"))
RESUMED = study(3, statusModule=status("RECRUITING"))
# Nothing that is watched.
REWORDED = study(4, statusModule=status("RECRUITING", "2026-01-01"), descriptionModule={"briefSummary": "New words"})
NEW = study(7, statusModule=status("NOT_YET_RECRUITING"))
MISSED_THAT_NIGHT = study(8, statusModule=posted("RECRUITING", "2026-01-01"))
OLDER_THAN_THE_HISTORY = study(9, statusModule=posted("COMPLETED", "2011-04-01"))
STARTED = study(7, statusModule=status("RECRUITING"))
COMPLETED = study(7, statusModule=status("COMPLETED", "2026-01-04"))
RETURNED = study(5, statusModule=status("COMPLETED"), designModule=design(9, "ACTUAL"))


@dataclass(frozen=True)
class Nights:
    """Versions and changes as each run left them: first load, changes, a vanished study, its return, a rerun."""

    warehouse: DbtWarehouse
    versions: list[list[tuple[Any, ...]]]
    changes: list[list[tuple[Any, ...]]]

    def run(self, *arguments: str) -> None:
        self.warehouse.run(*BUILT, *arguments)
        self.note()

    def note(self) -> None:
        self.versions.append(self.warehouse.rows(VERSIONS))
        self.changes.append(self.warehouse.rows(CHANGES))

    def told(self, number: int, night: int) -> list[tuple[Any, ...]]:
        """(field, type, old, new, difference, found_by) of a study's changes of one January night."""
        return self.warehouse.rows(
            "select field, change_type, old_value, new_value, difference, found_by from analytics.fct_trial_changes"
            f" where nct_id = 'NCT{number:08}' and changed_at::date = '2026-01-{night:02}' order by field"
        )


@pytest.fixture(scope="module")
def nights(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    with closing(psycopg2.connect(postgres_server.url("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database test_dbt_history")
    warehouse = DbtWarehouse(postgres_server.url("test_dbt_history"), tmp_path_factory.mktemp("dbt history"))
    warehouse.create_tables()
    nights = Nights(warehouse, [], [])

    warehouse.load(FIRST, "2026-01-01T07:00Z", "first_load")
    nights.run()

    warehouse.execute(UNSEEN)
    warehouse.load([CHANGED, RESUMED, REWORDED, NEW], "2026-01-02T07:00Z", "nightly")
    warehouse.load([SILENT], "2026-01-02T08:00Z", "reconcile")
    warehouse.load([MISSED_THAT_NIGHT, OLDER_THAN_THE_HISTORY], "2026-01-02T09:00Z", "backfill")
    nights.run()

    warehouse.execute(VANISH)
    nights.run()

    warehouse.load([STARTED], "2026-01-04T07:00Z", "nightly")
    warehouse.load([RETURNED, COMPLETED], "2026-01-05T07:00Z", "nightly")
    nights.run("--full-refresh")

    warehouse.execute(WATERMARKS)
    warehouse.build(*TESTED)
    nights.note()
    return nights


def test_what_was_there_at_first_has_a_version_and_no_change(nights: Nights) -> None:
    assert len(nights.versions[0]) == len(FIRST)
    assert nights.changes[0] == []


def test_every_watched_field_that_changed_has_its_row(nights: Nights) -> None:
    assert nights.told(1, 2) == [
        ("completion_date", "changed", "2027-01-31", "2026-12-31", -31, "nightly"),
        ("enrollment", "changed", "89", "12", -77, "nightly"),
        ("enrollment_type", "changed", "ESTIMATED", "ACTUAL", None, "nightly"),
        ("lead_sponsor", "changed", "Acme", "Bolt", None, "nightly"),
        ("overall_status", "changed", "RECRUITING", "TERMINATED", None, "nightly"),
        ("phase", "changed", "PHASE1/PHASE2", "PHASE2", None, "nightly"),
        ("primary_outcomes", "changed", "Survival [1 year]", "Survival", None, "nightly"),
        ("site_count", "changed", "2", "1", -1, "nightly"),
        ("start_date", "changed", "2026-01", "2026-01-15", 0, "nightly"),
        ("start_date_type", "changed", "ESTIMATED", "ACTUAL", None, "nightly"),
        ("why_stopped", "changed", None, "Slow accrual", None, "nightly"),
    ]


def test_a_silent_change_is_marked_as_found_by_the_sweep(nights: Nights) -> None:
    assert nights.told(2, 2) == [("enrollment_type", "changed", "ESTIMATED", "ACTUAL", None, "reconcile")]


def test_a_field_that_goes_is_null(nights: Nights) -> None:
    assert nights.told(3, 2) == [
        ("overall_status", "changed", "SUSPENDED", "RECRUITING", None, "nightly"),
        ("why_stopped", "changed", "No drug", None, None, "nightly"),
    ]


def test_a_change_of_nothing_watched_makes_no_version(nights: Nights) -> None:
    assert nights.warehouse.rows(
        "select version, registry_date::text from analytics.dim_trial_versions where nct_id = 'NCT00000004'"
    ) == [(1, "2025-12-30")]


def test_new_trials_appear_unless_a_backfill_went_behind_the_history(nights: Nights) -> None:
    assert nights.told(7, 2) == [("record", "appeared", None, "NOT_YET_RECRUITING", None, "nightly")]
    assert nights.told(8, 2) == [("record", "appeared", None, "RECRUITING", None, "backfill")]
    assert nights.told(9, 2) == []


def test_a_vanished_trial_keeps_its_last_state_and_may_return(nights: Nights) -> None:
    assert nights.told(5, 3) == [("record", "vanished", "COMPLETED", None, None, "reconcile")]
    assert nights.told(5, 5) == [
        ("enrollment", "changed", None, "9", None, "nightly"),
        ("enrollment_type", "changed", None, "ACTUAL", None, "nightly"),
        ("record", "returned", None, "COMPLETED", None, "nightly"),
    ]
    assert nights.warehouse.rows(
        "select version, overall_status, deleted_at is not null, valid_from::date::text, valid_to::date::text,"
        " is_current from analytics.dim_trial_versions where nct_id = 'NCT00000005' order by 1"
    ) == [
        (1, "COMPLETED", False, "2026-01-01", "2026-01-03", False),
        (2, "COMPLETED", True, "2026-01-03", "2026-01-05", False),
        (3, "COMPLETED", False, "2026-01-05", None, True),
    ]


def test_loads_between_two_runs_make_one_version(nights: Nights) -> None:
    assert nights.told(7, 4) == []
    assert nights.told(7, 5) == [("overall_status", "changed", "NOT_YET_RECRUITING", "COMPLETED", None, "nightly")]


def test_only_changed_studies_are_read(nights: Nights) -> None:
    status = "select overall_status from {} where nct_id = 'NCT00000006'"
    assert nights.warehouse.rows(status.format("analytics.dim_trial_versions")) == [("COMPLETED",)]


def test_a_run_writes_only_new_versions_and_the_end_of_those_before(nights: Nights) -> None:
    before, after = ({row[:2]: row[-1] for row in nights.versions[run]} for run in (1, 2))
    assert {key for key in after if after[key] != before.get(key)} == {("NCT00000005", 1), ("NCT00000005", 2)}


def test_a_full_refresh_keeps_the_history_and_builds_the_same_changes(nights: Nights) -> None:
    before, after = ({row[:2]: row[2] for row in nights.versions[run]} for run in (2, 3))
    assert before.items() <= after.items()
    assert set(nights.changes[2]) < set(nights.changes[3])
    assert len({row[0] for row in nights.changes[3]}) == len(nights.changes[3])


def test_running_again_adds_nothing_even_when_the_bookkeeping_is_lost(nights: Nights) -> None:
    assert nights.versions[4] == nights.versions[3]
    assert nights.changes[4] == nights.changes[3]
