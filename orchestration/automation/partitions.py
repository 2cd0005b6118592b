"""Every way in which assets are partitioned here. Keys are stable: a definition changes only at its open end."""

from datetime import datetime, time

from dagster import (
    DailyPartitionsDefinition,
    DynamicPartitionsDefinition,
    MonthlyPartitionsDefinition,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
)

from orchestration.watch.trading_days import FIRST_YEAR, LAST_YEAR, holidays

# The registry publishes, and the exchange trades, in Eastern time: a day of theirs has 23 to 25 hours.
TIMEZONE = "America/New_York"

# LastUpdatePostDate. A day is there once it is over: what the registry still adds to today, the next night loads.
UPDATE_DAYS = DailyPartitionsDefinition("2024-01-01", timezone=TIMEZONE)

# StudyFirstPostDate, from the registry's first month to the present one, without which the newest studies would lack.
FIRST_POSTED_MONTHS = MonthlyPartitionsDefinition("1999-09-01", timezone=TIMEZONE, end_offset=1)

# StudyType; MISSING is Essie's word for the records that have none, such as those whose posting is delayed.
STUDY_TYPES = StaticPartitionsDefinition(["INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS", "MISSING"])

# One per watchlist: its slug. The sensor `watchlists` and `bioloupe watch` add and remove them.
WATCHLISTS = DynamicPartitionsDefinition(name="watchlists")

# Sessions of the New York Stock Exchange up to today's, or on a day without trading the next one. It ends where the
# exchange's calendar ends, since past that a holiday would pass for a session.
TRADING_DAYS = TimeWindowPartitionsDefinition(
    start=f"{FIRST_YEAR}-01-01",
    end=f"{LAST_YEAR + 1}-01-01",
    fmt="%Y-%m-%d",
    timezone=TIMEZONE,
    cron_schedule="0 0 * * *",
    end_offset=1,
    exclusions=["0 0 * * 0,6", *(datetime.combine(day, time()) for day in sorted(holidays()))],
)

# Weeks from Monday to Sunday, each there once it is over, for every watchlist: `<slug>|2026-11-16`.
WEEKS = WeeklyPartitionsDefinition("2026-01-05", timezone=TIMEZONE, day_offset=1)
WATCHLIST_WEEKS = MultiPartitionsDefinition({"watchlist": WATCHLISTS, "week": WEEKS})
