"""What a window asks of the registry, and where the loading of some windows stands."""

import json
from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clinicaltrials_gov.client import RegistryError
from ingest.clinicaltrials_gov.studies import Study
from ingest.clinicaltrials_gov.sweep import MISSED_CHANGE, MISSED_NEW, NOT_DUE, RETURNED, SILENT_CHANGE, difference
from ingest.clinicaltrials_gov.warehouse import Stored
from ingest.clinicaltrials_gov.windows import Windows, expression, request_name, spans

DAY = date(2024, 6, 2)


@pytest.mark.parametrize(
    ("kind", "key", "asked"),
    [
        ("update_day", "2026-03-01", "AREA[LastUpdatePostDate]RANGE[2026-03-01,2026-03-01]"),
        ("first_posted_month", "2024-02", "AREA[StudyFirstPostDate]RANGE[2024-02-01,2024-02-29]"),
        ("first_posted_month", "1999-12-01", "AREA[StudyFirstPostDate]RANGE[1999-12-01,1999-12-31]"),
        ("study_type", "INTERVENTIONAL", "AREA[StudyType]INTERVENTIONAL"),
        ("study_type", "MISSING", "AREA[StudyType]MISSING"),
    ],
)
def test_a_window_is_an_expression(kind: str, key: str, asked: str) -> None:
    assert expression(kind, key) == asked  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("update_day", "2026-02-30"),
        ("update_day", "yesterday"),
        ("first_posted_month", "2026-13"),
        ("first_posted_month", "202603"),
        ("study_type", "A] OR AREA[X"),
    ],
)
def test_a_key_that_names_no_window_is_refused(kind: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"month|day|format|study type"):
        expression(kind, key)  # type: ignore[arg-type]


@given(st.dates(date(1999, 9, 1), date(2030, 12, 31)))
def test_every_day_is_in_the_window_of_its_month_and_in_no_other(day: date) -> None:
    def window(key: str) -> tuple[str, str]:
        first, last = expression("first_posted_month", key).split("[")[2].rstrip("]").split(",")
        return first, last

    first, last = window(day.isoformat())
    assert first <= day.isoformat() <= last
    after = date.fromisoformat(last) + timedelta(days=1)
    assert window(after.isoformat())[0] == after.isoformat()
    assert int(last[8:]) == monthrange(day.year, day.month)[1]


def test_neighbours_are_counted_together() -> None:
    assert spans("update_day", ["2024-03-01", "2024-02-29", "2024-02-28", "2024-06-01"]) == [
        "AREA[LastUpdatePostDate]RANGE[2024-02-28,2024-03-01]",
        "AREA[LastUpdatePostDate]RANGE[2024-06-01,2024-06-01]",
    ]
    assert spans("first_posted_month", ["2023-12", "2024-02-01", "2024-01"]) == [
        "AREA[StudyFirstPostDate]RANGE[2023-12-01,2024-02-29]"
    ]
    assert spans("study_type", ["MISSING"]) == ["AREA[StudyType]MISSING"]


def test_the_same_windows_have_the_same_name_in_any_order() -> None:
    assert request_name("update_day", ["a", "b"]) == request_name("update_day", ["b", "a", "b"])
    assert request_name("update_day", ["a", "b"]) != request_name("update_day", ["a"])


def some_windows() -> Windows:
    return Windows("update_day", "registry", None, None, None, {"2024-05-01": None, "2024-05-02": None})


def test_a_window_is_left_until_its_last_page() -> None:
    windows = some_windows()
    windows.page_read("2024-05-01", "token", 1500)
    assert (windows.left["2024-05-01"], windows.studies_expected) == ("token", None)
    windows.page_read("2024-05-02", None, 0)
    assert (windows.studies_expected, list(windows.left)) == (1500, ["2024-05-01"])
    windows.page_read("2024-05-01", None, None)
    assert windows.phase == "complete"
    assert Windows.from_state(json.loads(json.dumps(windows.to_state()))) == windows


def test_a_token_that_is_refused_again_and_again_ends_the_loading() -> None:
    windows = some_windows()
    for _ in range(3):
        windows.page_read("2024-05-01", "token", 3000)
        windows.studies_read += 1
        windows.saw(study(), None, "new")
        windows.token_expired("2024-05-01")
    assert (windows.left["2024-05-01"], windows.studies_read) == (None, 0)
    with pytest.raises(RegistryError, match="tokens in update_day 2024-05-01"):
        windows.token_expired("2024-05-01")


def study(updated: date | None = DAY) -> Study:
    return Study("NCT00000001", updated, "hash", b"{}")


@pytest.mark.parametrize(
    ("updated", "stored", "kind", "due_before", "expected"),
    [
        (DAY, None, "new", None, MISSED_NEW),
        (DAY, None, "new", DAY, NOT_DUE),
        (DAY, None, "new", DAY + timedelta(days=1), MISSED_NEW),
        (None, None, "new", DAY, MISSED_NEW),
        (DAY, Stored("old", False, DAY), "changed", DAY, SILENT_CHANGE),
        (None, Stored("old", False, None), "changed", DAY, SILENT_CHANGE),
        (DAY, Stored("old", False, DAY - timedelta(days=9)), "changed", None, MISSED_CHANGE),
        (DAY, Stored("old", False, DAY - timedelta(days=9)), "changed", DAY, NOT_DUE),
        (DAY, Stored("hash", False, DAY), "unchanged", None, None),
        (DAY, Stored("hash", True, DAY), "returned", None, RETURNED),
        (DAY, Stored("old", True, DAY), "changed", None, RETURNED),
    ],
)
def test_what_a_difference_is_called(
    updated: date | None, stored: Stored | None, kind: str, due_before: date | None, expected: str | None
) -> None:
    assert difference(study(updated), stored, kind, due_before) == expected
