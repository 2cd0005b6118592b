"""A registry that the API serves: which studies it has, in what order, and their records."""

from array import array
from collections.abc import Collection, Sequence
from datetime import date
from itertools import accumulate
from typing import Any, Protocol

import orjson

from ingest.sandbox.draws import Draw
from ingest.sandbox.population import EPOCH, Population
from ingest.sandbox.study.record import nct_id, record

API_VERSION = "2.0.5"
UNDATED = 0


class Registry(Protocol):
    """One state of a registry. Studies are known by their index; `dates` are days since 1970, `UNDATED` for none.

    A registry never changes: the server replaces it by another one when a night has passed.
    """

    @property
    def timestamp(self) -> str:
        """`dataTimestamp`: UTC, with no zone."""

    @property
    def by_index(self) -> Sequence[int]:
        """All studies, in the order of their registration."""

    @property
    def by_update(self) -> Sequence[int]:
        """All studies by (last update, index), those with no date last."""

    def date(self, index: int) -> int:
        """The day of the last update in days since 1970, or `UNDATED`."""

    def find(self, nct: str) -> int | None:
        """The index of a study by its upper-case NCT id, None if there is no such study."""

    def render(self, index: int) -> bytes:
        """A study's record as JSON."""

    def study(self, index: int, modules: Collection[str] | None = None) -> Any:
        """A study's record, or at least the named modules of it. Replayed records may be of any shape."""


def timestamp_of(day: int) -> str:
    """The `dataTimestamp` of the data of an ordinal day."""
    return f"{date.fromordinal(day).isoformat()}T09:00:05"


def days_since_epoch(text: object) -> int | None:
    """A date, `YYYY` and `YYYY-MM` included, in days since 1970; None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        parts = [int(part) for part in text[:10].split("-")]
        return max(1, date(*[*parts, 1, 1][:3]).toordinal() - EPOCH)
    except (TypeError, ValueError):
        return None


def update_order(indices: Sequence[int], dates: Sequence[int], last: int) -> "array[int]":
    """Indices sorted by (date, index), `UNDATED` ones last: a counting sort, so nothing but the result is held.

    `last` is the greatest date. Ties stay in the order of `indices`.
    """
    places = array("I", bytes(4 * (last + 2)))
    for index in indices:
        places[dates[index] or last + 1] += 1
    starts = array("I", accumulate(places, initial=0))
    order = array("I", bytes(4 * len(indices)))
    for index in indices:
        key = dates[index] or last + 1
        order[starts[key]] = index
        starts[key] += 1
    return order


class SyntheticRegistry:
    """The studies that follow from (seed, studies, night): ten bytes a study, records made when asked for."""

    def __init__(self, seed: int, studies: int, night: int) -> None:
        self.population = Population(seed, studies, night)
        dates = self.population.dates
        self.by_index: Sequence[int] = array("I", (i for i in range(self.population.size) if dates[i]))
        self.by_update: Sequence[int] = update_order(self.by_index, dates, self.population.day() - EPOCH)

    @property
    def timestamp(self) -> str:
        return timestamp_of(self.population.day())

    def date(self, index: int) -> int:
        return self.population.dates[index]

    def find(self, nct: str) -> int | None:
        if len(nct) != 11 or not nct.startswith("NCT9") or not nct[3:].isdigit():
            return None
        index = int(nct[4:])
        return index if index < self.population.size and nct_id(index) == nct and self.date(index) else None

    def render(self, index: int) -> bytes:
        return orjson.dumps(record(self.population, index, Draw()))

    def study(self, index: int, modules: Collection[str] | None = None) -> Any:
        # There and back again: sites are fragments of JSON until they are written.
        return orjson.loads(orjson.dumps(record(self.population, index, Draw(), modules)))
