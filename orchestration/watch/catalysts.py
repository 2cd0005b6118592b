"""What falls due on days of trading: primary completions, and results that US law wants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestration.watch.matching import found, parameters
from orchestration.watch.reading import read
from orchestration.watch.trading_days import days_due, is_session, sessions_from
from orchestration.watch.watchlist import Watchlist

if TYPE_CHECKING:
    from polars import DataFrame

# Days of the calendar on which the exchange is closed count for the session that follows.
CATALYSTS = """
select
    sessions.trading_day, due.falls_due, due.nct_id, due.brief_title, due.lead_sponsor, due.lead_sponsor_class,
    due.phase, due.overall_status, due.enrollment, due.due_date, due.due_by,
    sessions.trading_day - due.due_date as days_since_due,
    due.primary_completion_date, due.primary_completion_date_type, due.primary_completion_date_precision,
    sessions.trading_day - due.primary_completion_date as days_since_primary_completion
from unnest(%(sessions)s::date[], %(first_days)s::date[]) as sessions (trading_day, first_day)
inner join {analytics}.fct_trial_due_dates as due
    on due.due_date between sessions.first_day and sessions.trading_day
"""
WATCHED = "inner join found on due.nct_id = found.nct_id"
ORDER = "order by sessions.trading_day, due.falls_due, due.lead_sponsor, due.nct_id"


def catalysts(url: str, sessions: Iterable[date], watchlist: Watchlist | None = None) -> DataFrame:
    """What falls due on each of these sessions, of all trials or of those that a watchlist finds.

    One row per trial and what falls due, by session. Raises ValueError for a day that is no session.
    """
    days = list(sessions)
    about = {"sessions": days, "first_days": [days_due(day)[0] for day in days]}
    if watchlist is None:
        return read(url, CATALYSTS + ORDER, about)
    return read(url, found(watchlist) + CATALYSTS + WATCHED + "\n" + ORDER, {**about, **parameters(watchlist)})


def coming_sessions(first: date, days: int) -> list[date]:
    """The sessions of `days` calendar days from `first` on. Raises ValueError where the calendar has no `first`."""
    is_session(first)
    return list(takewhile(lambda session: session < first + timedelta(days=days), sessions_from(first)))


def today() -> date:
    """The day that it is at the exchange."""
    return datetime.now(ZoneInfo("America/New_York")).date()
