"""Which studies a registry has on a night, and when each was updated last: a few bytes a study, no records.

A registry starts with `studies` studies on night 0, in the order of their registration. Every night about 1% are
updated (each study has its own rhythm: open ones every month or two, closed ones once or twice a year), 0.3% are
registered, and a few vanish or change without a new date. All of it follows from (seed, studies, night).
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from ingest.sandbox.draws import mix

EPOCH = date(1970, 1, 1).toordinal()
NIGHT_ZERO = date(2026, 6, 1).toordinal()
SILENT_SHARE = 0.0004
VANISHED_SHARE = 0.0001
BORN_SHARE = 0.003
_OUTLINE, _SILENT, _VANISH = 101, 102, 103

# Share of today's registry that was registered before each year (first submission).
_REGISTERED = (
    (1999.7, 0.0),
    (2005.5, 0.015),
    (2008.0, 0.07),
    (2012.0, 0.18),
    (2016.0, 0.31),
    (2019.0, 0.45),
    (2021.0, 0.57),
    (2023.0, 0.735),
    (2025.0, 0.91),
    (2026.41, 1.0),
)

# (studies up to this age in years, cumulative share of each status): the young recruit, the old have ended.
_STATUS_BY_AGE: tuple[tuple[float, tuple[tuple[float, str], ...]], ...] = (
    (
        0.5,
        (
            (0.55, "NOT_YET_RECRUITING"),
            (0.92, "RECRUITING"),
            (0.95, "ENROLLING_BY_INVITATION"),
            (0.96, "WITHDRAWN"),
            (1.0, "COMPLETED"),
        ),
    ),
    (
        2.0,
        (
            (0.26, "NOT_YET_RECRUITING"),
            (0.74, "RECRUITING"),
            (0.77, "ENROLLING_BY_INVITATION"),
            (0.83, "ACTIVE_NOT_RECRUITING"),
            (0.85, "WITHDRAWN"),
            (0.865, "TERMINATED"),
            (0.87, "SUSPENDED"),
            (1.0, "COMPLETED"),
        ),
    ),
    (
        5.0,
        (
            (0.03, "NOT_YET_RECRUITING"),
            (0.35, "RECRUITING"),
            (0.37, "ENROLLING_BY_INVITATION"),
            (0.45, "ACTIVE_NOT_RECRUITING"),
            (0.485, "WITHDRAWN"),
            (0.545, "TERMINATED"),
            (0.55, "SUSPENDED"),
            (0.68, "UNKNOWN"),
            (1.0, "COMPLETED"),
        ),
    ),
    (
        99.0,
        (
            (0.08, "RECRUITING"),
            (0.125, "ACTIVE_NOT_RECRUITING"),
            (0.128, "ENROLLING_BY_INVITATION"),
            (0.153, "WITHDRAWN"),
            (0.234, "TERMINATED"),
            (0.235, "SUSPENDED"),
            (0.405, "UNKNOWN"),
            (1.0, "COMPLETED"),
        ),
    ),
)
OPEN_STATUSES = frozenset(
    {"NOT_YET_RECRUITING", "RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "SUSPENDED"}
)


class Outline(NamedTuple):
    """What is fixed about a study before its first update. Days are proleptic ordinals; `period` is in nights."""

    status: str
    submitted: int
    updated: int
    first_change: int
    period: int


@dataclass(frozen=True)
class NightChanges:
    """The indices of the studies that one night touched."""

    changed: list[int]
    silent: list[int]
    new: range
    vanished: list[int]


class Population:
    """The studies of one registry on one night. `dates[i]` is in days since 1970, 0 for a study that vanished."""

    def __init__(self, seed: int, studies: int, night: int) -> None:
        self.seed, self.studies, self.night = seed, studies, night
        self.born_per_night = max(1, round(studies * BORN_SHARE))
        self.size = studies + night * self.born_per_night
        self._vanished = self._vanishing_nights()
        self._silent = self._silent_nights()
        self.dates = array("H", self._dates())

    def day(self, night: int | None = None) -> int:
        """The ordinal day of a night's data."""
        return NIGHT_ZERO + (self.night if night is None else night)

    def outline(self, index: int) -> Outline:
        """What is fixed about study `index`; cheap, since it is computed for the whole registry."""
        hashed = mix(self.seed, index, _OUTLINE)
        born = self.birth_night(index)
        submitted = NIGHT_ZERO + born - 2 - hashed % 4 if born else self._registered(index)
        age = (NIGHT_ZERO + born - submitted) / 365.25
        status = _status(age, (hashed & 0xFFFF) / 0x10000)
        part = (hashed >> 16 & 0xFFFF) / 0x10000
        if born:
            updated = NIGHT_ZERO + born
        else:
            # "Unknown" means that nobody has verified an open study for two years.
            latest = NIGHT_ZERO - (735 if status == "UNKNOWN" else 0)
            updated = submitted + 4 + int((NIGHT_ZERO - submitted) * _settled(status, part))
            updated = max(submitted + 1, min(latest, updated))
        shortest, spread = (30, 31) if status in OPEN_STATUSES else (180, 141)
        period = shortest + (hashed >> 32) % spread
        return Outline(status, submitted, updated, born + 1 + (hashed >> 44) % period, period)

    def birth_night(self, index: int) -> int:
        """The night on which a study was registered, 0 for those of the start."""
        return 0 if index < self.studies else 1 + (index - self.studies) // self.born_per_night

    def change_nights(self, index: int, outline: Outline) -> range:
        """The nights up to now that updated a study."""
        return range(outline.first_change, self.night + 1, outline.period)

    def silent_nights(self, index: int) -> list[int]:
        """The nights up to now that changed a study without a new date."""
        return self._silent.get(index, [])

    def vanished(self, index: int) -> bool:
        return self._vanished.get(index, self.night + 1) <= self.night

    def changes(self) -> NightChanges:
        """What this population's night did to the one before. Reads every outline."""
        night, gone = self.night, self._vanished
        before = self.size - (self.born_per_night if night else 0)
        changed = [
            i
            for i in range(before)
            if self.dates[i]
            and (o := self.outline(i)).first_change <= night
            and (night - o.first_change) % o.period == 0
        ]
        dated = set(changed)
        silent = [i for i, nights in self._silent.items() if night in nights and self.dates[i] and i not in dated]
        return NightChanges(
            changed, sorted(silent), range(before, self.size), sorted(i for i, n in gone.items() if n == night)
        )

    def _dates(self) -> Iterator[int]:
        for index in range(self.size):
            if self.vanished(index):
                yield 0
                continue
            outline = self.outline(index)
            nights = self.change_nights(index, outline)
            yield (NIGHT_ZERO + nights[-1] if nights else outline.updated) - EPOCH

    def _registered(self, index: int) -> int:
        share = (index + 0.5) / self.studies
        for (year, low), (next_year, high) in pairwise(_REGISTERED):
            if share <= high:
                when = year + (share - low) / (high - low) * (next_year - year)
                return EPOCH + int((when - 1970) * 365.2425)
        return NIGHT_ZERO - 3

    def _vanishing_nights(self) -> dict[int, int]:
        each = max(1, round(self.studies * VANISHED_SHARE))
        nights: dict[int, int] = {}
        for night in range(1, self.night + 1):
            for k in range(each):
                nights.setdefault(mix(self.seed, night * 100_003 + k, _VANISH) % self.studies, night)
        return nights

    def _silent_nights(self) -> dict[int, list[int]]:
        each = max(1, round(self.studies * SILENT_SHARE))
        nights: dict[int, list[int]] = {}
        for night in range(1, self.night + 1):
            for k in range(each):
                touched = nights.setdefault(mix(self.seed, night * 100_003 + k, _SILENT) % self.studies, [])
                if night not in touched:
                    touched.append(night)
        return nights


def _status(age: float, part: float) -> str:
    for oldest, shares in _STATUS_BY_AGE:
        if age <= oldest:
            return next(status for share, status in shares if part < share)
    raise ValueError(f"no study is {age} years old")


def _settled(status: str, part: float) -> float:
    """The share of its life after which a study was last updated: open studies lately, closed ones at any time."""
    if status in OPEN_STATUSES:
        return 1 - 0.5 * part * part
    if status == "UNKNOWN":
        return 0.1 + 0.5 * part
    return 0.25 + 0.75 * float(part**0.8)
