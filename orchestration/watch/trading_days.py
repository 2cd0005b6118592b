"""Days on which the New York Stock Exchange trades.

The holidays are read from a file beside this module, because the library that knows them takes 0.3 s to load and give
them, which every Dagster process would pay. A test holds the file to the library; rewrite it with

    python -m orchestration.watch.trading_days
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

FIRST_YEAR, LAST_YEAR = 2024, 2045
CLOSED = Path(__file__).parent / "nyse_holidays.csv"
_DAY = timedelta(days=1)


@cache
def holidays() -> frozenset[date]:
    """Weekdays from FIRST_YEAR to LAST_YEAR on which the exchange stays closed. Half days are days of trading."""
    return frozenset(date.fromisoformat(line[:10]) for line in CLOSED.read_text().splitlines()[1:])


def is_session(day: date) -> bool:
    """Whether the exchange trades on `day`. Raises ValueError outside FIRST_YEAR to LAST_YEAR, where nobody knows."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{day} is outside the exchange's calendar, {FIRST_YEAR} to {LAST_YEAR}")
    return day.weekday() < 5 and day not in holidays()


def session_on_or_after(day: date) -> date:
    """The session to which `day` rolls: itself, or the next one after a weekend or holiday."""
    while not is_session(day):
        day += _DAY
    return day


def session_before(day: date) -> date:
    """The last session earlier than `day`."""
    day -= _DAY
    while not is_session(day):
        day -= _DAY
    return day


def days_due(session: date) -> tuple[date, date]:
    """First and last of the calendar days that roll to `session`: those after the session before, up to itself.

    Raises ValueError where `session` is none.
    """
    if not is_session(session):
        raise ValueError(f"the exchange is closed on {session}: {session_on_or_after(session)} is the next session")
    return session_before(session) + _DAY, session


def sessions_from(day: date) -> Iterator[date]:
    """Sessions on or after `day`, in order, to the end of the calendar."""
    last = session_before(date(LAST_YEAR, 12, 31) + _DAY)
    while day <= last:
        day = session_on_or_after(day)
        yield day
        day += _DAY


def calendar() -> str:
    """The file's content as the library gives it: CSV with the columns day, name."""
    from holidays import financial_holidays

    found = financial_holidays("NYSE", years=range(FIRST_YEAR, LAST_YEAR + 1))
    days = sorted((day, name) for day, name in found.items() if FIRST_YEAR <= day.year <= LAST_YEAR)
    return "day,name\n" + "".join(f"{day},{name}\n" for day, name in days if day.weekday() < 5)


if __name__ == "__main__":
    CLOSED.write_text(calendar())
