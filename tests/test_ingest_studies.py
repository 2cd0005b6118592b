"""Records of the registry: which can be stored, and the hash that tells whether one has changed."""

import copy
import hashlib
import json
import random
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clinicaltrials_gov.decode import decode
from ingest.clinicaltrials_gov.studies import Rejected, Study, canonical_json, content_hash, read_study, study_id
from tests.registry_server import make_study

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, order: random.Random) -> Any:
    """The same JSON value with the keys of its objects in another order."""
    if isinstance(value, dict):
        keys = order.sample(list(value), len(value))
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


def accepted(raw: Any) -> Study:
    study = read_study(raw)
    assert isinstance(study, Study)
    return study


def rejected(raw: Any) -> Rejected:
    record = read_study(raw)
    assert isinstance(record, Rejected)
    return record


@given(st.dictionaries(text, values), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_hash(raw: dict[str, Any], order: random.Random) -> None:
    assert content_hash(shuffled(raw, order)) == content_hash(raw)


@given(values)
def test_stored_text_has_no_nul_and_is_the_same_when_stored_again(value: Any) -> None:
    stored = canonical_json(value)
    assert "\0" not in str(orjson.loads(stored))
    assert canonical_json(orjson.loads(stored)) == stored


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert orjson.loads(canonical_json({"a\0": "\\u0000", "b": ["x\0y"]})) == {"a": "\\u0000", "b": ["xy"]}


def test_the_daily_stamp_does_not_change_the_hash_and_stays_in_the_payload() -> None:
    today, tomorrow = make_study(1), make_study(1)
    tomorrow["derivedSection"]["miscInfoModule"]["versionHolder"] = "2024-06-02"
    assert accepted(today).content_hash == accepted(tomorrow).content_hash
    assert orjson.loads(accepted(tomorrow).payload) == tomorrow


@pytest.mark.parametrize("path", [["hasResults"], ["derivedSection", "miscInfoModule", "removedCountries"]])
def test_anything_else_changes_the_hash(path: list[str]) -> None:
    raw = make_study(1)
    changed = copy.deepcopy(raw)
    where = changed
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = ["France"]
    assert accepted(changed).content_hash != accepted(raw).content_hash


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    raw = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}, "b": "é", "a": 1}
    text = '{"a":1,"b":"é","protocolSection":{"identificationModule":{"nctId":"NCT00000001"}}}'
    assert content_hash(raw) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "not an object"),
        ("NCT00000001", "not an object"),
        ([], "not an object"),
        ({}, "no protocolSection"),
        ({"protocolSection": []}, "protocolSection is not an object"),
        ({"protocolSection": {}}, "no identificationModule"),
        ({"protocolSection": {"identificationModule": {}}}, "no nctId"),
        ({"protocolSection": {"identificationModule": {"nctId": 7}}}, "nctId is '7'"),
        ({"protocolSection": {"identificationModule": {"nctId": "NCT1"}}}, "nctId is 'NCT1'"),
        ({"protocolSection": {"identificationModule": {"nctId": "NCT" + "\u0661" * 8}}}, "nctId is"),
        (make_study(1, armsInterventionsModule=[]), "protocolSection.armsInterventionsModule is not an object"),
        ({**make_study(1), "resultsSection": "none"}, "resultsSection is not an object"),
        (make_study(1, updated="soon"), "lastUpdatePostDateStruct is 'soon', not a date"),
        (make_study(1, updated="2024-02-30"), "not a date"),
        (make_study(1, statusModule={"startDateStruct": "2024"}), "startDateStruct is not an object"),
        (make_study(1, statusModule={"statusVerifiedDate": 2024}), "statusVerifiedDate is '2024', not a date"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_rejected_with_a_reason(raw: Any, reason: str) -> None:
    record = rejected(raw)
    assert reason in record.reason
    assert json.loads(record.text) == raw
    assert len(record.content_hash) == 64


def test_a_rejected_record_keeps_the_id_that_it_has() -> None:
    assert rejected(make_study(5, updated="soon")).nct_id == "NCT00000005"
    assert study_id(make_study(5, updated="soon")) == "NCT00000005"
    assert study_id({"protocolSection": 1}) is None


def test_nesting_that_cannot_be_written_is_rejected() -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    assert "cannot be written as JSON" in rejected(make_study(1, oddModule={"deep": deep})).reason


@pytest.mark.parametrize(
    ("updated", "stored"),
    [("2024-03-05", date(2024, 3, 5)), ("2024-03", date(2024, 3, 1)), ("2024", date(2024, 1, 1)), (None, None)],
)
def test_dates_may_be_partial_or_absent(updated: str | None, stored: date | None) -> None:
    assert accepted(make_study(1, updated)).last_update_post_date == stored


def test_a_record_may_have_no_more_than_an_id() -> None:
    raw = decode(b'{"protocolSection":{"identificationModule":{"nctId":"NCT99000001"}}}')
    assert accepted(raw).nct_id == "NCT99000001"


@given(values)
def test_reading_a_record_never_raises(raw: Any) -> None:
    read_study(raw)
    read_study({"protocolSection": raw})
    read_study({"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}, "statusModule": raw}})
