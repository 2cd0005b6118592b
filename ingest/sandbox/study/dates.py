"""Days as the registry writes them: `YYYY-MM-DD`, or `YYYY-MM` for what is only known, or was only asked, by month."""

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=40_000)
def iso(day: int) -> str:
    """An ordinal day as `YYYY-MM-DD`."""
    return date.fromordinal(day).isoformat()


def month(day: int) -> str:
    return iso(day)[:7]
