"""Loads from a small registry into a real Postgres."""

import copy
import json

import pytest

from ingest.clinicaltrials_gov import LoadProgress
from ingest.clinicaltrials_gov.extract import BatchLimits
from tests.ingest_house import House, house, nct, update
from tests.registry_server import broken_off, empty_page, fine, make_study, status, truncated

pytestmark = pytest.mark.integration
__all__ = ["house"]


def test_a_first_load_stores_every_study_whole(house: House) -> None:
    seen: list[LoadProgress] = []
    summary = house.load(progress=seen.append)
    assert (summary.new, summary.changed, summary.gone, summary.difference, summary.batches) == (12, 0, 0, 0, 1)
    assert "12 new" in str(summary)
    stored = dict(house.query("select nct_id, payload from raw_ctgov.studies"))
    assert stored == {nct(number): study for number, study in enumerate(house.registry.studies, 1)}
    assert house.query("select count(*) from raw_ctgov.rejected_studies") == [(0,)]
    assert house.query("select data_timestamp, api_version, studies_total, scope from raw_ctgov.registry_versions") == [
        ("2024-06-01T09:00:05", "2.0.5", 12, None)
    ]
    assert [(p.studies, p.total) for p in seen if p.phase == "extract"] == [(3, 12), (6, 12), (9, 12), (12, 12)]
    assert not list(house.directory.rglob("*.csv"))


def test_the_tables_are_as_their_readers_expect(house: House) -> None:
    house.load()
    columns = "select attname from pg_attribute where attrelid = 'raw_ctgov.studies'::regclass and attnum > 0 and {}"
    assert {name for (name,) in house.query(columns.format("attnotnull"))} == {
        "nct_id",
        "content_hash",
        "payload",
        "loaded_at",
        "_dlt_load_id",
    }
    indexes = dict(house.query("select indexdef, true from pg_indexes where tablename = 'studies'"))
    assert any("UNIQUE" in index and "(nct_id)" in index for index in indexes)
    assert any("raw_ctgov.studies" in index and "(loaded_at)" in index for index in indexes)


def test_payloads_are_compressed_with_lz4_where_the_server_can(house: House) -> None:
    if house.query("select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'") != [
        (True,)
    ]:
        pytest.skip("this server was built without lz4")
    house.registry.studies[0]["text"] = "words " * 3000
    house.load()
    compression = "select distinct pg_column_compression(payload) from raw_ctgov.studies where nct_id = 'NCT00000001'"
    assert house.query(compression) == [("lz4",)]


def test_the_same_version_is_not_loaded_twice(house: House) -> None:
    house.load()
    before = house.rows()
    house.registry.requests.clear()
    summary = house.load()
    assert summary.nothing_to_do
    assert "nothing to do" in str(summary)
    assert (house.registry.requests, house.rows()) == ([], before)
    assert house.query("select count(*) from raw_ctgov.registry_versions") == [(1,)]


def test_a_night_rewrites_just_what_changed(house: House) -> None:
    house.load()
    before = house.rows()
    house.next_night()
    update(house.registry.studies[4])
    house.registry.studies.append(make_study(77, "2024-06-02"))
    summary = house.load()
    assert (summary.new, summary.changed, summary.gone) == (1, 1, 0)
    assert house.registry.page_requests()[0]["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2024-05-11,MAX]"
    after = house.rows()
    assert {nct_id for nct_id, row in after.items() if row != before.get(nct_id)} == {nct(5), nct(77)}
    assert house.loaded_since(before) == {nct(5), nct(77)}


def test_reading_everything_again_rewrites_just_what_changed(house: House) -> None:
    house.load()
    before = house.rows()
    for study in house.registry.studies:
        study["derivedSection"]["miscInfoModule"]["versionHolder"] = "2024-06-02"
    house.registry.studies[2]["derivedSection"]["conditionBrowseModule"] = {"meshes": []}
    summary = house.load(full=True)
    assert (summary.changed, summary.unchanged) == (1, 11)
    assert {nct_id for nct_id, row in house.rows().items() if row != before[nct_id]} == {nct(3)}


def test_batches_commit_one_by_one_with_rising_times(house: House) -> None:
    summary = house.load(limits=BatchLimits(pages=1))
    assert summary.batches == 4
    times = house.query("select count(*) from raw_ctgov.studies group by loaded_at, _dlt_load_id order by loaded_at")
    assert times == [(3,)] * 4


def test_what_cannot_be_stored_is_put_aside(house: House) -> None:
    odd = [None, {"a\0": "b"}, make_study(50, "soon"), make_study(51, statusModule=[]), make_study(51, statusModule=[])]
    house.registry.studies += odd
    summary = house.load()
    assert (summary.new, summary.rejected, summary.gone) == (12, 5, 0)
    aside = house.query("select nct_id, reason, payload from raw_ctgov.rejected_studies order by reason")
    assert [(nct_id, json.loads(payload)) for nct_id, _, payload in aside] == [
        (None, {"a": "b"}),
        (nct(51), odd[3]),
        (nct(50), odd[2]),
        (None, None),
    ]
    before = house.query("select * from raw_ctgov.rejected_studies order by content_hash")
    house.load(full=True)
    assert house.query("select * from raw_ctgov.rejected_studies order by content_hash") == before


def test_text_that_postgres_cannot_hold_is_made_safe(house: House) -> None:
    text = 'nul \0 quote " comma , line\nend \\u0000 \U0001f9ec \\ '
    house.registry.studies[0]["text"] = text
    house.registry.studies[1]["text"] = "lone \ud800"
    house.registry.studies[2]["number"] = 10**40
    house.load()
    texts = house.query("select payload ->> 'text', payload -> 'number' from raw_ctgov.studies order by nct_id limit 3")
    assert texts == [(text.replace("\0", ""), None), ("lone \ufffd", None), (None, 10**40)]


@pytest.mark.parametrize("page_size", [3, 100])
def test_of_several_records_of_a_study_the_last_one_stays(house: House, page_size: int) -> None:
    house.registry.page_size = page_size
    newer = copy.deepcopy(house.registry.studies[0])
    update(newer, "2024-05-30")
    house.registry.studies.append(newer)
    summary = house.load()
    assert (summary.new, summary.changed) == (12, 0)
    assert house.query("select payload from raw_ctgov.studies where nct_id = 'NCT00000001'") == [(newer,)]
    assert house.query("select count(*) from raw_ctgov.studies") == [(12,)]


def test_studies_without_any_date_are_loaded_and_found_later_too(house: House) -> None:
    house.registry.studies.append(make_study(60, None))
    assert house.load().new == 13
    house.next_night()
    house.registry.studies.append(make_study(61, None))
    summary = house.load()
    assert (summary.new, summary.difference) == (1, 0)
    assert house.rows().keys() >= {nct(60), nct(61)}


def test_a_load_survives_a_bad_night(house: House) -> None:
    house.registry.faults = [status(429), truncated, fine, empty_page, status(500), broken_off, empty_page, empty_page]
    assert house.load().new == 12
    assert house.query("select count(*) from raw_ctgov.studies") == [(12,)]


@pytest.mark.parametrize("knows_missing", [True, False])
def test_an_expired_token_costs_a_page_and_no_study(house: House, knows_missing: bool) -> None:
    house.registry.knows_missing = knows_missing
    house.registry.studies.append(make_study(60, None))
    house.registry.faults = [fine, fine, status(400)]
    summary = house.load()
    assert (summary.new, summary.difference) == (13, 0)
    assert len(house.rows()) == 13


def test_each_row_says_how_its_content_was_found(house: House) -> None:
    house.load()
    assert house.query("select distinct found_by from raw_ctgov.studies") == [("first_load",)]
    house.next_night()
    update(house.registry.studies[4])
    house.registry.studies.append(make_study(77, "2024-06-02"))
    house.registry.studies.pop(0)
    house.load()
    found = dict(house.query("select nct_id, found_by from raw_ctgov.studies where found_by <> 'first_load'"))
    assert found == {nct(1): "nightly", nct(5): "nightly", nct(77): "nightly"}


def test_a_warehouse_of_before_found_by_gets_the_column(house: House) -> None:
    house.load()
    house.query("alter table raw_ctgov.studies drop found_by")
    house.query("alter table raw_ctgov_staging.studies drop found_by")
    house.next_night()
    update(house.registry.studies[4])
    assert house.load().changed == 1
    found = dict(house.query("select nct_id, found_by from raw_ctgov.studies"))
    assert (found.pop(nct(5)), set(found.values())) == ("nightly", {None})
