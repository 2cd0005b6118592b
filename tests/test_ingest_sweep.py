"""The whole registry read again: what loading by date misses, and a registry that does not tell everything."""

from typing import Any

import pytest

from ingest.clinicaltrials_gov import Reconcile, Reconciliation, RegistryClient
from ingest.clinicaltrials_gov.extract import BatchLimits
from tests.ingest_house import House, house, nct, update
from tests.registry_server import fine, make_study

pytestmark = pytest.mark.integration
__all__ = ["house"]


def sweep_of(house: House, **options: Any) -> Reconcile:
    client = RegistryClient(house.registry.url, backoff=0.01, timeout=(1.0, 5.0))
    return Reconcile(house.registry.url, house.url, house.directory, client=client, **options)


def reconcile(house: House, **options: Any) -> Reconciliation:
    sweep = sweep_of(house, **options)
    sweep.run()
    assert sweep.result is not None
    return sweep.result


def counts(result: Reconciliation) -> tuple[int, ...]:
    return (result.missed_new, result.missed_changes, result.silent_changes, result.not_due, result.gone)


def found_by(house: House) -> dict[str, str]:
    return dict(house.query("select nct_id, found_by from raw_ctgov.studies where found_by <> 'first_load'"))


def test_where_nothing_was_missed_nothing_is_written(house: House) -> None:
    house.load()
    before = house.rows()
    for study in house.registry.studies:
        study["derivedSection"]["miscInfoModule"]["versionHolder"] = "2024-06-02"
    result = reconcile(house)
    assert (counts(result), result.studies_read, result.studies_total) == ((0, 0, 0, 0, 0), 12, 12)
    assert house.rows() == before
    assert house.query("select gone, note from raw_ctgov.reconciliations") == [(0, None)]
    assert house.query("select count(*) from raw_ctgov.reconciliation_ids") == [(0,)]


def test_what_nightly_loading_misses_is_loaded_and_reported(house: House) -> None:
    house.load()
    before = house.rows()
    house.registry.studies[2]["derivedSection"]["conditionBrowseModule"] = {"meshes": []}
    update(house.registry.studies[3], "2024-05-04")
    update(house.registry.studies[4], "2024-05-30")
    house.registry.studies.append(make_study(77, "2024-05-02"))
    house.registry.studies.pop(0)
    result = reconcile(house)
    assert counts(result) == (1, 1, 2, 0, 1)
    assert sorted(result.examples) == [
        ["gone", nct(1), "", ""],
        ["missed_change", nct(5), "2024-05-05", "2024-05-30"],
        ["missed_new", nct(77), "", "2024-05-02"],
        ["silent_change", nct(3), "2024-05-03", "2024-05-03"],
        ["silent_change", nct(4), "2024-05-04", "2024-05-04"],
    ]
    changed = {nct(1), nct(3), nct(4), nct(5), nct(77)}
    assert house.loaded_since(before) == changed
    assert found_by(house) == dict.fromkeys(changed, "reconcile")
    assert [nct_id for nct_id, row in house.rows().items() if row[3]] == [nct(1)]
    row = house.query(
        "select missed_new, missed_changes, silent_changes, gone, held_back from raw_ctgov.reconciliations"
    )
    assert row == [(1, 1, 2, 1, 0)]


def test_what_the_next_night_would_bring_is_no_miss(house: House) -> None:
    house.load()
    house.next_night()
    update(house.registry.studies[4], "2024-06-02")
    house.registry.studies.append(make_study(77, "2024-06-02"))
    update(house.registry.studies[5], "2024-05-30")
    assert counts(reconcile(house)) == (0, 1, 0, 2, 0)
    nightly = house.load()
    assert (nightly.new, nightly.changed, nightly.nothing_to_do) == (0, 0, False)


def test_a_study_that_returns_is_cleared(house: House) -> None:
    house.load()
    lost = [house.registry.studies.pop(0), house.registry.studies.pop(0)]
    assert reconcile(house).gone == 2
    marked = house.rows()
    update(lost[1], "2024-05-02")
    house.registry.studies += lost
    result = reconcile(house)
    assert (result.returned, result.gone) == (2, 0)
    assert not [row for row in house.rows().values() if row[3]]
    assert house.loaded_since(marked) == {nct(1), nct(2)}
    assert house.query("select count(*) from raw_ctgov.reconciliations") == [(2,)]


def test_a_registry_that_gives_far_fewer_than_it_counts_marks_nothing_as_gone(house: House) -> None:
    house.load()
    house.registry.faults = [
        fine,
        lambda handler, _: bool(handler.answer({"studies": [make_study(4, "2024-05-04")]})) or True,
    ]
    result = reconcile(house)
    assert (result.gone, result.held_back, result.studies_read, result.studies_total) == (0, 8, 4, 12)
    assert "was not read whole" in str(result.note)
    assert not [row for row in house.rows().values() if row[3]]


def test_a_registry_that_lost_a_large_share_is_not_believed_unless_told(house: House) -> None:
    house.registry.studies = [make_study(n, "2024-05-02") for n in range(1, 61)]
    house.load()
    house.registry.studies = house.registry.studies[:30]
    result = reconcile(house)
    assert (result.gone, result.held_back) == (0, 30)
    assert "--most-gone" in str(result.note)
    assert reconcile(house, most_gone=1.0).gone == 30


def test_what_shifted_between_pages_is_asked_for_by_id(house: House) -> None:
    """A study that moves while pages are read may be in none of them; asked for, it is there."""
    house.load()
    hidden = house.registry.studies.pop(5)

    def comes_back(*_: Any) -> bool:
        house.registry.studies.append(hidden)
        return False

    # Four pages and the count pass; then the ids are asked for.
    house.registry.faults = [fine] * 5 + [comes_back]
    result = reconcile(house)
    assert (result.gone, result.held_back, result.note) == (0, 0, None)


def test_an_interrupted_sweep_goes_on_where_it_was(house: House) -> None:
    house.load()
    house.registry.studies[0]["text"] = "silent"
    house.registry.studies[11]["text"] = "silent"
    lost = house.registry.studies.pop(6)
    sweep = sweep_of(house, limits=BatchLimits(pages=1))
    batches = sweep.batches()
    next(batches)
    next(batches)
    batches.close()
    house.registry.requests.clear()
    again = sweep_of(house)
    again.run()
    assert again.result is not None
    assert (again.summary.resumed, again.result.studies_read, counts(again.result)) == (True, 11, (0, 0, 2, 0, 1))
    assert len([r for r in house.registry.page_requests() if r.get("pageSize") == "1000"]) == 2
    assert lost["protocolSection"]["identificationModule"]["nctId"] == nct(7)
    assert not sweep_of(house).run().resumed


def test_a_rejected_record_of_a_stored_study_is_not_gone(house: House) -> None:
    house.load()
    house.registry.studies[3]["protocolSection"]["statusModule"]["startDateStruct"] = {"date": "soon"}
    result = reconcile(house)
    assert (result.rejected, result.gone, result.note) == (1, 0, None)


def test_the_nightly_position_is_left_alone(house: House) -> None:
    house.load()
    house.registry.studies[0]["text"] = "silent"
    reconcile(house)
    assert house.load().nothing_to_do
    assert house.query("select count(*) from raw_ctgov.registry_versions") == [(1,)]


def test_a_sweep_of_an_empty_warehouse_is_a_first_load(house: House) -> None:
    result = reconcile(house)
    assert counts(result) == (0, 0, 0, 12, 0)
    assert house.query("select distinct found_by from raw_ctgov.studies") == [("first_load",)]
