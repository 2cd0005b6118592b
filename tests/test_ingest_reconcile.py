"""Loads into a warehouse that no longer agrees with the registry: vanished studies, other registries, lost files."""

from contextlib import closing

import psycopg2
import pytest

from ingest.clinicaltrials_gov import LoadInProgress
from ingest.clinicaltrials_gov.source import NAME, clinicaltrials_gov
from ingest.clinicaltrials_gov.warehouse import DATASET, open_warehouse
from ingest.pipelines import pipeline
from tests.ingest_house import House, house, nct, update
from tests.registry_server import fine, make_study

pytestmark = pytest.mark.integration
__all__ = ["house"]


def test_vanished_studies_are_marked_and_may_come_back(house: House) -> None:
    house.load()
    before = house.rows()
    lost = [house.registry.studies.pop(), house.registry.studies.pop(0)]
    house.next_night()
    assert house.load().gone == 2
    marked = house.rows()
    assert {nct_id for nct_id, row in marked.items() if row[3]} == {nct(1), nct(12)}
    assert house.loaded_since(before) == {nct(1), nct(12)}
    house.next_night(3)
    house.registry.studies += lost
    update(lost[1])
    summary = house.load()
    assert (summary.returned, summary.changed, summary.gone) == (1, 1, 0)
    assert not [row for row in house.rows().values() if row[3]]
    assert house.loaded_since(marked) == {nct(1), nct(12)}


def test_a_study_that_comes_back_as_it_was_is_found_by_its_id(house: House) -> None:
    house.load()
    lost = house.registry.studies.pop(0)
    house.next_night()
    house.load()
    marked = house.rows()
    house.next_night(3)
    house.registry.studies.append(lost)
    assert house.load().returned == 1
    assert house.loaded_since(marked) == {nct(1)}


def test_a_registry_too_large_to_compare_is_reported(house: House) -> None:
    house.load()
    house.registry.studies.pop()
    house.next_night()
    summary = house.load(sweep_limit=5)
    assert (summary.gone, summary.difference) == (0, -1)


def test_a_registry_that_hides_its_ids_marks_nothing_as_gone(house: House) -> None:
    house.load()
    house.next_night()
    house.registry.studies.pop()
    # The page of changes and two counts are answered, then the page of ids is empty and the last one.
    house.registry.faults = [fine, fine, fine, lambda handler, _: bool(handler.answer({"studies": []})) or True]
    summary = house.load()
    assert (summary.gone, summary.difference) == (0, -1)


def test_another_registry_replaces_what_was_there(house: House) -> None:
    house.load(registry="one")
    house.next_night()
    house.registry.studies = [*house.registry.studies[:2], make_study(88, "2023-01-01")]
    summary = house.load(registry="two")
    assert (summary.new, summary.unchanged, summary.gone) == (1, 2, 10)


def test_a_registry_is_known_by_its_name_at_another_address(house: House) -> None:
    house.load(registry="one")
    house.registry.url = house.registry.url.replace("127.0.0.1", "localhost")
    assert house.load(registry="one").nothing_to_do


def test_a_warehouse_that_was_emptied_is_filled_again(house: House) -> None:
    house.load()
    with closing(psycopg2.connect(house.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop schema raw_ctgov cascade; drop schema raw_ctgov_staging cascade")
    assert house.load().new == 12
    with closing(psycopg2.connect(house.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("truncate raw_ctgov.studies")
    assert house.load().new == 12


def test_files_of_dlt_may_be_lost(house: House) -> None:
    house.load()
    house.directory = house.directory.parent / "elsewhere"
    assert house.load().nothing_to_do


def test_two_loads_at_once_are_refused(house: House) -> None:
    with (
        open_warehouse(house.url, NAME, 0.1),
        pytest.raises(LoadInProgress, match="session"),
        open_warehouse(house.url, NAME, 0.1),
    ):
        pass


def test_the_source_can_be_run_alone(house: House) -> None:
    house.load()
    house.next_night()
    update(house.registry.studies[0])
    before = house.rows()
    alone = pipeline(NAME, DATASET, house.url, house.directory)
    info = alone.run(clinicaltrials_gov(house.registry.url))
    assert not info.has_failed_jobs
    assert {nct_id for nct_id, row in house.rows().items() if row != before[nct_id]} == {nct(1)}
    assert set(clinicaltrials_gov(house.registry.url).selected_resources) == {
        "studies",
        "rejected_studies",
        "registry_versions",
    }
