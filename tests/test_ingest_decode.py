"""Bytes of an API answer to values: pages split without parsing them, and whatever JSON may hold made safe."""

import contextlib
import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clinicaltrials_gov.decode import BadBody, decode, read_page
from tests.registry_server import make_study

text = st.text(st.characters(), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
studies = st.lists(values | st.builds(lambda more: {"protocolSection": more, "more": more}, values), max_size=6)


@given(values)
def test_whatever_json_holds_can_be_written_again(value: object) -> None:
    decoded = decode(json.dumps(value).encode())
    assert orjson.loads(orjson.dumps(decoded)) == decoded


@given(st.binary(max_size=40))
def test_bytes_that_are_no_json_are_a_bad_body_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(BadBody):
        decode(data)


@given(studies, st.none() | st.text("abc", min_size=1), st.booleans())
def test_a_page_is_split_into_the_studies_that_it_holds(found: list[object], token: str | None, compact: bool) -> None:
    page = {"totalCount": 5, "studies": found, **({"nextPageToken": token} if token else {})}
    data = json.dumps(page, separators=(",", ":") if compact else None).encode()
    body = read_page(data)
    assert list(body.studies()) == decode(data)["studies"]
    assert (body.total, body.next_token, body.size) == (5, token, len(data))


@given(st.integers(1, 200))
def test_a_page_cut_short_is_a_bad_body(cut: int) -> None:
    page = {"studies": [make_study(number) for number in range(3)], "nextPageToken": "abc"}
    data = json.dumps(page, separators=(",", ":")).encode()
    with pytest.raises(BadBody):
        read_page(data[:-cut])


def test_a_study_may_hold_the_key_that_starts_one() -> None:
    found = [make_study(1), {"protocolSection": {"nested": {"protocolSection": {"deep": [1]}}}}, make_study(2)]
    data = json.dumps({"studies": found}, separators=(",", ":")).encode()
    assert list(read_page(data).studies()) == found


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"studies":{}}', b"<html>busy</html>"])
def test_an_answer_that_is_no_page_is_a_bad_body(data: bytes) -> None:
    with pytest.raises(BadBody):
        read_page(data)


def test_what_orjson_refuses_is_made_safe() -> None:
    data = b'{"lone":"\\ud800x","pair":"\\ud83d\\ude00","nan":NaN,"huge":1e999,"long":' + b"9" * 30 + b',"bad":"\xff"}'
    assert decode(data) == {
        "lone": "\ufffdx",
        "pair": "\U0001f600",
        "nan": "NaN",
        "huge": "1e999",
        "long": math.pow(10, 30),
        "bad": "\ufffd",
    }


def test_bottomless_nesting_is_a_bad_body() -> None:
    with pytest.raises(BadBody):
        decode(b"[" * 100_000)
