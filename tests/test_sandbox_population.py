"""Which studies a synthetic registry has on a night, and what a night changes."""

import sys

import orjson
import pytest

from ingest.sandbox.draws import Draw
from ingest.sandbox.population import EPOCH, NIGHT_ZERO, Population
from ingest.sandbox.registry import UNDATED, SyntheticRegistry, days_since_epoch, update_order
from ingest.sandbox.study.record import nct_id, record

STUDIES = 400
DIGEST = "d0b0f824e681a067064b1d21e92bcd1433d49f44c83916aef42dc1f937af3dcb"


def comparable(registry: SyntheticRegistry, index: int) -> dict[str, object]:
    """A record without the day of its data, which is another one every night in every record."""
    study: dict[str, object] = orjson.loads(registry.render(index))
    del study["derivedSection"]["miscInfoModule"]["versionHolder"]  # type: ignore[index]
    return study


@pytest.mark.parametrize("night", [1, 40])
def test_a_night_changes_exactly_what_it_says(night: int) -> None:
    before, after = SyntheticRegistry(3, STUDIES, night - 1), SyntheticRegistry(3, STUDIES, night)
    changes = after.population.changes()
    both = set(before.by_index) & set(after.by_index)
    differing = sorted(i for i in both if comparable(before, i) != comparable(after, i))
    assert differing == sorted(changes.changed + changes.silent)
    assert sorted(set(after.by_index) - set(before.by_index)) == list(changes.new)
    assert sorted(set(before.by_index) - set(after.by_index)) == changes.vanished
    today = NIGHT_ZERO + night - EPOCH
    assert all(after.date(i) == today for i in [*changes.changed, *changes.new])
    assert all(after.date(i) == before.date(i) for i in changes.silent)
    assert all(after.date(i) < today for i in both - set(changes.changed))


def test_every_kind_of_change_happens_every_night_and_about_one_percent_is_updated() -> None:
    counts = [Population(1, 5000, night).changes() for night in range(1, 8)]
    assert all(c.changed and c.silent and c.new and c.vanished for c in counts)
    assert 0.006 < sum(len(c.changed) for c in counts) / (7 * 5000) < 0.014
    assert all(len(c.new) == 15 for c in counts)
    assert all(len(c.silent) + len(c.vanished) <= 4 for c in counts)


def test_the_same_registry_comes_from_the_same_seed_and_another_from_another() -> None:
    one, same, other = (SyntheticRegistry(seed, 50, 5) for seed in (1, 1, 2))
    assert [one.render(i) for i in one.by_index] == [same.render(i) for i in same.by_index]
    assert all(one.render(i) != other.render(i) for i in set(one.by_index) & set(other.by_index))


def test_records_do_not_depend_on_the_python_version() -> None:
    import hashlib

    registry = SyntheticRegistry(1, 40, 3)
    digest = hashlib.sha256(b"".join(registry.render(i) for i in registry.by_index)).hexdigest()
    assert digest == DIGEST, "studies have changed: new records for every sandbox that exists, say so in the commit"


def test_a_module_asked_for_alone_is_the_module_of_the_whole_record() -> None:
    registry = SyntheticRegistry(1, 30, 2)
    for index in registry.by_index:
        whole = registry.study(index)
        for section, modules in whole.items():
            for name in modules if isinstance(modules, dict) else ():
                assert registry.study(index, {name})[section][name] == modules[name]


def test_a_registry_holds_bytes_not_records() -> None:
    registry = SyntheticRegistry(1, 60_000, 0)
    held = sum(map(sys.getsizeof, (registry.population.dates, registry.by_index, registry.by_update)))
    assert held <= 12 * 60_000
    assert not [
        name
        for holder in (registry, registry.population)
        for name, value in vars(holder).items()
        if isinstance(value, (list, dict, set, tuple)) and len(value) > 600
    ]


def test_dates_agree_with_the_records() -> None:
    registry = SyntheticRegistry(9, 300, 25)
    for index in registry.by_index:
        status = registry.study(index, {"statusModule"})["protocolSection"]["statusModule"]
        assert days_since_epoch(status["lastUpdatePostDateStruct"]["date"]) == registry.date(index)
        assert status["studyFirstSubmitDate"] <= status["studyFirstPostDateStruct"]["date"]
        assert status["studyFirstPostDateStruct"]["date"] <= status["lastUpdatePostDateStruct"]["date"]


def test_update_order_sorts_by_date_and_index_with_undated_studies_last() -> None:
    dates = [5, UNDATED, 3, 5, 3, UNDATED]
    assert list(update_order(range(6), dates, 5)) == [2, 4, 0, 3, 1, 5]
    assert list(update_order([], [], 0)) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1970-01-02", 1),
        ("1970-02", 31),
        ("1971", 365),
        ("soon", None),
        ("2024-13-45", None),
        (None, None),
        (2024, None),
    ],
)
def test_days_since_epoch(text: object, day: int | None) -> None:
    assert days_since_epoch(text) == day


def test_ids_are_of_a_range_that_the_real_registry_does_not_use() -> None:
    registry = SyntheticRegistry(1, 12, 1)
    for index in registry.by_index:
        identification = record(registry.population, index, Draw())["protocolSection"]["identificationModule"]
        assert identification["nctId"] == nct_id(index) == f"NCT9{index:07d}"
        assert registry.find(nct_id(index)) == index
    assert registry.find("NCT00000001") is None
    assert registry.find("NCT99999999") is None
