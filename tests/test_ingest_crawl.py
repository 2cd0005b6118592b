"""Where a crawl stands and what it asks next."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clinicaltrials_gov.client import RegistryError, Version
from ingest.clinicaltrials_gov.crawl import EVERYTHING, UNDATED, Crawl, day_of, filter_query, next_crawl

MONDAY, TUESDAY = Version("2", "2024-06-03T09:00:00"), Version("2", "2024-06-04T09:00:00")


def first(version: Version = MONDAY, scope: str | None = None) -> Crawl:
    crawl = next_crawl(None, "registry", scope, version)
    assert crawl is not None
    return crawl


def finished(cursor: date | None = date(2024, 6, 3)) -> Crawl:
    crawl = first()
    crawl.reached(cursor)
    crawl.page_read(None)
    crawl.end_phase(reconcile=False)
    return crawl


def test_the_first_crawl_asks_for_everything() -> None:
    assert first().legs == [EVERYTHING]
    assert first().query() == {"sort": "LastUpdatePostDate:asc"}


def test_the_next_night_asks_from_one_day_before_the_latest_date() -> None:
    crawl = next_crawl(finished(), "registry", None, TUESDAY)
    assert crawl is not None
    assert crawl.query()["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2024-06-02,MAX]"
    assert not crawl.unfiltered


def test_the_same_version_of_the_data_leaves_nothing_to_do() -> None:
    assert next_crawl(finished(), "registry", None, MONDAY) is None


def test_a_registry_that_gives_no_version_is_always_asked() -> None:
    silent = Version(None, None)
    crawl = first(silent)
    crawl.page_read(None)
    crawl.end_phase(reconcile=False)
    assert next_crawl(crawl, "registry", None, silent) is not None


@pytest.mark.parametrize("other", [("elsewhere", None), ("registry", "AREA[Phase]PHASE1")])
def test_another_registry_or_scope_is_read_from_the_start(other: tuple[str, str | None]) -> None:
    crawl = next_crawl(finished(), *other, MONDAY)
    assert crawl is not None
    assert crawl.legs == [EVERYTHING]


def test_all_is_read_again_on_demand_or_without_any_date() -> None:
    for crawl in (
        next_crawl(finished(), "registry", None, MONDAY, full=True),
        next_crawl(finished(None), "registry", None, TUESDAY),
    ):
        assert crawl is not None
        assert crawl.unfiltered


@pytest.mark.parametrize("phase", ["crawl", "reconcile"])
def test_an_unfinished_crawl_goes_on(phase: str) -> None:
    crawl = first()
    crawl.page_read("token")
    if phase == "reconcile":
        crawl.end_phase(reconcile=True)
    assert next_crawl(crawl, "registry", None, TUESDAY) is crawl
    assert next_crawl(crawl, "registry", None, TUESDAY, full=True) is crawl


def test_reading_all_does_not_go_on_with_a_crawl_of_changes() -> None:
    changes = next_crawl(finished(), "registry", None, TUESDAY)
    assert changes is not None
    full = next_crawl(changes, "registry", None, TUESDAY, full=True)
    assert full is not None
    assert full.unfiltered


def test_a_refused_token_continues_from_the_latest_date_and_asks_for_the_undated_apart() -> None:
    crawl = first()
    crawl.reached(date(2024, 5, 1))
    crawl.page_read("token")
    crawl.token_expired()
    assert crawl.token is None
    assert crawl.legs == ["AREA[LastUpdatePostDate]RANGE[2024-05-01,MAX]", UNDATED]
    crawl.page_read(None)
    assert crawl.legs == [UNDATED]


def test_tokens_that_are_always_refused_are_an_error() -> None:
    crawl = first()
    for _ in range(3):
        crawl.page_read("token")
        crawl.token_expired()
    with pytest.raises(RegistryError, match="refuses its own page tokens"):
        crawl.token_expired()


@given(st.lists(st.dates() | st.none()))
def test_the_position_only_rises_and_never_past_the_registrys_own_data(dates: list[date | None]) -> None:
    crawl, latest = first(), date(2024, 6, 3)
    positions = []
    for updated in dates:
        crawl.reached(updated)
        positions.append(crawl.cursor or date.min)
    assert positions == sorted(positions)
    assert crawl.cursor == max((d for d in dates if d and d <= latest), default=None)


def test_the_state_survives_json() -> None:
    crawl = first(scope="AREA[Phase]PHASE1")
    crawl.reached(date(2024, 5, 1))
    crawl.page_read("token")
    assert Crawl.from_state(json.loads(json.dumps(crawl.to_state()))) == crawl
    assert Crawl.from_state(None) is None


def test_scope_and_expression_are_anded() -> None:
    assert filter_query(None) == {}
    assert filter_query("a OR b") == {"filter.advanced": "a OR b"}
    assert filter_query("a OR b", "c") == {"filter.advanced": "(a OR b) AND c"}


def test_a_timestamp_that_cannot_be_read_is_no_day() -> None:
    assert day_of("2024-06-03T09:00:00") == date(2024, 6, 3)
    assert day_of("soon") is None
    assert day_of(None) is None
