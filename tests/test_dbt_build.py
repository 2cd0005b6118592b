"""`dbt build` on hand-made studies: what is built, what a nightly change touches, what a failure leaves behind."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from orchestration.local.postgres import EmbeddedPostgres
from tests.dbt_warehouse import DbtWarehouse
from tests.test_dbt_project import AACT_TABLES, MODELS

pytestmark = pytest.mark.integration

STAGED = [model for model in MODELS if model.stem.startswith("stg_ctgov__")]
TYPES = {
    "varchar": "character varying",
    "timestamp": "timestamp without time zone",
}
# Of every row its transaction: a row that is written again has another.
VERSIONS = "select nct_id, xmin::text, ctid::text from ctgov.{} order by 1, 2, 3"
CONTENT = "select nct_id, id, {} from ctgov.{} order by 1, 2"
NAMED = {"conditions": "name", "keywords": "name", "design_groups": "title"}
Row = tuple[Any, ...]


# What happens between the runs.
VANISH = """
update raw_ctgov.studies set deleted_at = '2026-01-02 02:01Z', loaded_at = '2026-01-02 02:01Z'
where nct_id = 'NCT00000004';
"""
ANSWER = """
insert into enrichment.stop_reasons
    (task, version, model, text_hash, text, stop_reason, evidence, confidence, method, status)
select 'stop_reasons', 'v1', 'm', text_hash, text, 'insufficient_enrollment', text, 'high', 'rule', 'answered'
from intermediate.int_stop_reason_texts where text = 'Slow accrual';
"""
FILL_THE_DISK = """
create function refuse() returns trigger language plpgsql as $$ begin raise 'disk full'; end $$;
create trigger refuse before insert on ctgov.conditions execute function refuse();
"""
LOSE_BOOKKEEPING = "delete from intermediate.staging_watermarks where relation = 'ctgov.keywords'"


def study(nct_id: str, **modules: Any) -> dict[str, Any]:
    return {"protocolSection": {"identificationModule": {"nctId": nct_id, "briefTitle": nct_id}, **modules}}


def arms(*names: str) -> dict[str, Any]:
    """An arms module with one arm and one drug per name, each given in its arm."""
    return {
        "armGroups": [{"label": name, "type": "EXPERIMENTAL"} for name in names],
        "interventions": [{"type": "DRUG", "name": f"drug {n}", "armGroupLabels": [n, "no such arm"]} for n in names],
    }


def stopped(nct_id: str, why: str) -> dict[str, Any]:
    return study(nct_id, statusModule={"overallStatus": "TERMINATED", "whyStopped": why})


def joins(model: Path) -> Iterator[tuple[str, str]]:
    """Table and column of both ends of each of a model's relationships."""
    (entry,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
    for column in entry["columns"]:
        for test in column.get("data_tests", []):
            if "relationships" in test:
                arguments = test["relationships"]["arguments"]
                yield model.stem.removeprefix("stg_ctgov__"), column["name"]
                yield arguments["to"].removeprefix("ref('stg_ctgov__").removesuffix("')"), arguments["field"]


STEADY = study("NCT00000001", conditionsModule={"conditions": ["Asthma", "Asthma"], "keywords": ["lung"]})
LOSING = study("NCT00000002", conditionsModule={"conditions": ["Obesity"]}, armsInterventionsModule=arms("A", "B"))
LOST = study("NCT00000002", armsInterventionsModule=arms("B"))
STOPPED = stopped("NCT00000003", " Slow\n accrual ")
VANISHING = stopped("NCT00000004", "Sponsor decision")
NEW = study("NCT00000005", conditionsModule={"conditions": ["Gout"]})
MALFORMED = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT00000006", "secondaryIdInfos": "S-1", "orgStudyIdInfo": ["x"]},
        "statusModule": {"overallStatus": None, "startDateStruct": {"date": "2019-02-30"}, "statusVerifiedDate": 2020},
        "conditionsModule": {"conditions": "Gout", "keywords": [None, {"odd": 1}]},
        "designModule": {"phases": "PHASE1", "enrollmentInfo": {"count": 1e20}, "designInfo": ["x"]},
        "armsInterventionsModule": {"armGroups": {"label": "A"}, "interventions": ["x", None]},
        "eligibilityModule": {"minimumAge": "N/A", "maximumAge": "99999999999 Years", "stdAges": "ADULT"},
        "contactsLocationsModule": {"locations": [{"geoPoint": {"lat": "north", "lon": 1e9}}, "x", {"country": 7}]},
        "outcomesModule": {"primaryOutcomes": "x"},
    },
    "derivedSection": {"miscInfoModule": {"removedCountries": {"a": 1}}, "conditionBrowseModule": []},
    "resultsSection": {
        "adverseEventsModule": {"seriousEvents": [{"stats": [{"numAffected": 999_999_999}] * 3}], "otherEvents": "x"}
    },
}


@dataclass(frozen=True)
class Nights:
    """What a warehouse held after each of three runs, and what dbt printed.

    Run 0 builds all. Run 1 meets a night's changes, but a full disk keeps it from writing conditions. Run 2 is the
    same command again, after the bookkeeping of keywords was lost.
    """

    warehouse: DbtWarehouse
    outputs: list[str]
    rows: list[dict[str, list[Row]]]
    content: list[dict[str, list[Row]]]

    def written(self, run: int) -> dict[str, Counter[str]]:
        """Table to nct_id to the number of its rows that this run wrote."""
        before, after = self.rows[run - 1], self.rows[run]
        return {t: Counter(row[0] for row in after[t] if row not in before[t]) for t in AACT_TABLES}

    def note(self, output: str) -> None:
        self.outputs.append(output)
        self.rows.append({t: self.warehouse.rows(VERSIONS.format(t)) for t in AACT_TABLES})
        self.content.append({t: self.warehouse.rows(CONTENT.format(name, t)) for t, name in NAMED.items()})


@pytest.fixture(scope="module")
def nights(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    with closing(psycopg2.connect(postgres_server.url("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database test_dbt_build")
    warehouse = DbtWarehouse(postgres_server.url("test_dbt_build"), tmp_path_factory.mktemp("dbt build"))
    warehouse.create_tables()
    nights = Nights(warehouse, [], [], [])

    warehouse.load([STEADY, LOSING, STOPPED, VANISHING, MALFORMED], at="2026-01-01T02:00Z")
    nights.note(warehouse.build())

    warehouse.load([LOST, NEW], at="2026-01-02T02:00Z")
    warehouse.execute(VANISH + ANSWER + FILL_THE_DISK)
    nights.note(warehouse.dbt("run").stdout)

    warehouse.execute("drop function refuse cascade;" + LOSE_BOOKKEEPING)
    nights.note(warehouse.run())
    return nights


def test_a_first_build_passes_without_a_warning_and_with_no_answer_yet(nights: Nights) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in nights.outputs[0]
    assert "deprecat" not in nights.outputs[0].lower()
    assert "warning" not in nights.outputs[0].lower().replace("0 warnings", "")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_tables_have_the_columns_that_are_described(nights: Nights, model: Path) -> None:
    (entry,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
    schema = "ctgov" if model.stem.startswith("stg_") else model.parent.name
    built = nights.warehouse.rows(
        "select column_name, data_type from information_schema.columns"
        f" where table_schema = '{schema}' and table_name = '{model.stem.removeprefix('stg_ctgov__')}'"
    )
    described = {c["name"]: c["data_type"].split("(")[0] for c in entry["columns"]}
    assert dict(built) == {name: TYPES.get(kind, kind) for name, kind in described.items()}


@pytest.mark.parametrize("table", AACT_TABLES)
def test_tables_have_an_index_on_nct_id(nights: Nights, table: str) -> None:
    indexes = nights.warehouse.rows(f"select indexdef from pg_indexes where tablename = '{table}'")
    assert any("(nct_id)" in definition for (definition,) in indexes)


def test_foreign_keys_and_what_they_point_at_are_indexed(nights: Nights) -> None:
    indexes = nights.warehouse.rows("select tablename, indexdef from pg_indexes where schemaname = 'ctgov'")
    indexed = {(table, re.sub(r".*[(](.*)[)]", r"\1", definition)) for table, definition in indexes}
    joined = {end for model in STAGED for end in joins(model)}
    assert len(joined) > 25
    assert joined - indexed == set()


@pytest.mark.parametrize("model", STAGED, ids=lambda model: model.stem)
def test_documents_are_read_once_and_not_kept_between_two_uses(nights: Nights, model: Path) -> None:
    """Postgres writes a CTE that is used twice to disk: for whole documents, more than the registry is large."""
    (compiled,) = nights.warehouse.scratch.glob(f"target/compiled/*/models/staging/ctgov/{model.name}")
    assert len(re.findall(r"\b(?:from|join) source\b", compiled.read_text())) == 1


def test_only_changed_studies_are_written(nights: Nights) -> None:
    changed = {"NCT00000002", "NCT00000004", "NCT00000005"}
    written = nights.written(1)
    assert set(written["studies"]) == changed
    assert all(set(studies) <= changed for studies in written.values())


def test_a_failed_model_leaves_its_table_as_it_was(nights: Nights) -> None:
    assert "disk full" in nights.outputs[1]
    assert nights.rows[1]["conditions"] == nights.rows[0]["conditions"]


def test_running_again_writes_only_what_failed_before(nights: Nights) -> None:
    written = {table: studies for table, studies in nights.written(2).items() if studies}
    assert written.pop("conditions") == {"NCT00000005": 1}
    assert written.pop("keywords") == {"NCT00000001": 1, "NCT00000006": 1}, "read again, as its bookkeeping was lost"
    assert not written


def test_a_table_whose_bookkeeping_is_lost_holds_nothing_twice(nights: Nights) -> None:
    assert nights.content[2]["keywords"] == nights.content[1]["keywords"]


def test_a_study_that_loses_its_last_child_loses_its_row(nights: Nights) -> None:
    assert [name for study, _, name in nights.content[0]["conditions"] if study == "NCT00000002"] == ["Obesity"]
    assert [name for study, _, name in nights.content[2]["conditions"] if study == "NCT00000002"] == []
    assert [name for study, _, name in nights.content[2]["conditions"] if study == "NCT00000005"] == ["Gout"]


def test_a_child_that_stays_keeps_its_id(nights: Nights) -> None:
    before, after = (nights.content[run]["design_groups"] for run in (0, 2))
    assert (
        {row for row in before if row[0] == "NCT00000002"} > {row for row in after if row[0] == "NCT00000002"} != set()
    )


def test_arms_and_drugs_join_by_their_ids_and_unknown_arms_are_null(nights: Nights) -> None:
    joined = nights.warehouse.rows(
        "select g.title, i.name from ctgov.design_group_interventions l join ctgov.interventions i"
        " on i.id = l.intervention_id left join ctgov.design_groups g on g.id = l.design_group_id order by 1"
    )
    assert joined == [("B", "drug B"), (None, "drug B")]


def test_equal_rows_of_a_study_have_ids_of_their_own(nights: Nights) -> None:
    rows = nights.warehouse.rows("select name, id from ctgov.conditions where nct_id = 'NCT00000001'")
    assert [name for name, _ in rows] == ["Asthma", "Asthma"]
    assert len(dict.fromkeys(rows)) == 2


def test_a_vanished_study_is_kept_and_marked_but_not_counted(nights: Nights) -> None:
    (deleted,) = nights.warehouse.rows("select deleted_at from analytics.dim_trials where nct_id = 'NCT00000004'")
    assert deleted[0] is not None
    assert nights.warehouse.rows("select nct_id, read_status, stop_reason from analytics.fct_stopped_trials") == [
        ("NCT00000003", "answered", "insufficient_enrollment")
    ]


def test_malformed_values_are_null_and_odd_shapes_are_read_as_far_as_they_go(nights: Nights) -> None:
    one = nights.warehouse.rows(
        "select start_month_year, start_date, verification_date::text, phase, enrollment, number_of_groups"
        " from ctgov.studies where nct_id = 'NCT00000006'"
    )
    assert one == [("2019-02-30", None, "2020-12-31", "PHASE1", None, None)]
    names = nights.warehouse.rows("select name from ctgov.conditions where nct_id = 'NCT00000006'")
    assert names == [("Gout",)]
    ages = nights.warehouse.rows(
        "select minimum_age_num, maximum_age_num, number_of_facilities, has_us_facility, number_of_sae_subjects"
        " from ctgov.calculated_values where nct_id = 'NCT00000006'"
    )
    assert ages == [(None, None, 3, False, None)]
    assert nights.warehouse.rows("select latitude, longitude from ctgov.facilities") == [(None, None)] * 3
