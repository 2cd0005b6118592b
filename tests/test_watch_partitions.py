"""Partitions at the edges of months, years, time changes and holidays; the exchange's calendar."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dagster import DagsterInstance, MultiPartitionKey, TimeWindowPartitionsDefinition
from dagster._core.definitions.partitions.context import partition_loading_context
from hypothesis import given
from hypothesis import strategies as st

from orchestration.automation.partitions import (
    FIRST_POSTED_MONTHS,
    STUDY_TYPES,
    TIMEZONE,
    TRADING_DAYS,
    UPDATE_DAYS,
    WATCHLIST_WEEKS,
    WEEKS,
)
from orchestration.watch import trading_days
from orchestration.watch.trading_days import days_due, is_session, session_before, session_on_or_after, sessions_from

NEW_YORK = ZoneInfo(TIMEZONE)
DAYS = st.dates(date(2024, 1, 10), date(2045, 12, 20))


def keys_at(definition: TimeWindowPartitionsDefinition, *moment: int) -> list[str]:
    """The keys that are there at a moment of New York's time."""
    return list(definition.get_partition_keys(current_time=datetime(*moment, tzinfo=NEW_YORK)))  # type: ignore[misc,arg-type]


def hours(definition: TimeWindowPartitionsDefinition, key: str) -> float:
    window = definition.time_window_for_partition_key(key)
    return (window.end.timestamp() - window.start.timestamp()) / 3600


def test_a_day_of_updates_is_there_once_it_is_over() -> None:
    assert keys_at(UPDATE_DAYS, 2024, 3, 1, 0, 0)[-1] == "2024-02-29"
    assert keys_at(UPDATE_DAYS, 2024, 2, 29, 23, 59)[-1] == "2024-02-28"
    assert "2025-02-29" not in keys_at(UPDATE_DAYS, 2025, 3, 2)


@pytest.mark.parametrize(("day", "length"), [("2026-03-08", 23), ("2026-03-09", 24), ("2026-11-01", 25)])
def test_days_keep_their_keys_when_the_clocks_change(day: str, length: int) -> None:
    assert hours(UPDATE_DAYS, day) == length
    assert keys_at(UPDATE_DAYS, 2026, 11, 20).count(day) == 1


def test_months_reach_from_the_registry_s_first_to_the_present_one() -> None:
    keys = keys_at(FIRST_POSTED_MONTHS, 2026, 11, 1)
    assert (keys[0], keys[-1], len(keys)) == ("1999-09-01", "2026-11-01", 27 * 12 + 3)
    assert keys_at(FIRST_POSTED_MONTHS, 2026, 10, 31, 23)[-1] == "2026-10-01"
    window = FIRST_POSTED_MONTHS.time_window_for_partition_key("2024-02-01")
    assert (window.start.date(), window.end.date()) == (date(2024, 2, 1), date(2024, 3, 1))


def test_study_types_cover_records_without_one() -> None:
    assert "MISSING" in STUDY_TYPES.get_partition_keys()


def test_a_week_runs_from_monday_to_sunday() -> None:
    assert keys_at(WEEKS, 2026, 11, 22, 23, 59)[-1] == "2026-11-09"
    assert keys_at(WEEKS, 2026, 11, 23)[-1] == "2026-11-16"
    assert hours(WEEKS, "2026-10-26") == 7 * 24 + 1


def test_a_digest_s_partition_is_a_watchlist_and_a_week() -> None:
    monday = datetime(2026, 11, 23, tzinfo=NEW_YORK)
    with DagsterInstance.ephemeral() as instance, partition_loading_context(monday, instance):
        instance.add_dynamic_partitions("watchlists", ["kras-g12c"])
        key = MultiPartitionKey({"watchlist": "kras-g12c", "week": "2026-11-16"})
        assert str(key) == "kras-g12c|2026-11-16"
        assert WATCHLIST_WEEKS.has_partition_key(key)
        assert not WATCHLIST_WEEKS.has_partition_key(MultiPartitionKey({"watchlist": "gone", "week": "2026-11-16"}))


@pytest.mark.parametrize(
    ("day", "session"),
    [
        ("2026-11-26", "2026-11-27"),  # Thanksgiving; the half day after it is a session
        ("2026-07-03", "2026-07-06"),  # the Fourth falls on a Saturday: observed the day before
        ("2027-07-05", "2027-07-06"),  # on a Sunday: the day after
        ("2021-12-31", None),  # before the calendar
        ("2027-12-31", "2027-12-31"),  # New Year's Day on a Saturday is not observed at all
        ("2027-12-24", "2027-12-27"),  # Christmas on a Saturday is
        ("2025-01-09", "2025-01-10"),  # closed for a day of mourning
        ("2024-02-29", "2024-02-29"),
        ("2026-11-21", "2026-11-23"),
    ],
)
def test_days_without_trading_roll_to_the_next_session(day: str, session: str | None) -> None:
    if session is None:
        with pytest.raises(ValueError, match="outside the exchange's calendar"):
            session_on_or_after(date.fromisoformat(day))
    else:
        assert session_on_or_after(date.fromisoformat(day)).isoformat() == session
        midnight = datetime.fromisoformat(day).replace(tzinfo=NEW_YORK)
        assert TRADING_DAYS.is_window_start_excluded(midnight) == (day != session)


@given(DAYS)
def test_every_day_rolls_to_exactly_one_session(day: date) -> None:
    session = session_on_or_after(day)
    first, last = days_due(session)
    assert first <= day <= last == session
    assert session_before(first) == first - timedelta(days=1)
    assert next(sessions_from(first)) == session


@given(DAYS)
def test_dagster_and_the_calendar_agree_on_sessions(day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    assert TRADING_DAYS.is_window_start_excluded(midnight) != is_session(day)


def test_today_s_session_is_there_in_the_morning_and_on_days_without_trading_the_next() -> None:
    assert keys_at(TRADING_DAYS, 2026, 11, 25, 6)[-2:] == ["2026-11-24", "2026-11-25"]
    assert keys_at(TRADING_DAYS, 2026, 11, 26, 6)[-2:] == ["2026-11-25", "2026-11-27"]
    assert keys_at(TRADING_DAYS, 2026, 11, 28, 6)[-2:] == ["2026-11-27", "2026-11-30"]


def test_sessions_keep_their_keys_as_time_passes() -> None:
    earlier, later = keys_at(TRADING_DAYS, 2026, 11, 25), keys_at(TRADING_DAYS, 2030, 1, 3)
    assert later[: len(earlier)] == earlier
    assert len([key for key in later if key.startswith("2025")]) == 250


def test_sessions_end_with_the_calendar() -> None:
    assert keys_at(TRADING_DAYS, 2050, 1, 1)[-1] == "2045-12-29"
    assert list(sessions_from(date(2045, 12, 29))) == [date(2045, 12, 29)]


def test_the_calendar_is_what_the_library_says() -> None:
    assert trading_days.CLOSED.read_text() == trading_days.calendar()


def test_only_sessions_have_days_that_fall_due() -> None:
    with pytest.raises(ValueError, match="2026-11-27 is the next session"):
        days_due(date(2026, 11, 26))
