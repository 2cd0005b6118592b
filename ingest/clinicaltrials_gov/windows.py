"""Windows of the registry that can be loaded apart from the nightly crawl, and where the loading of some stands."""

import hashlib
import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, get_args

from ingest.clinicaltrials_gov.client import RegistryError
from ingest.clinicaltrials_gov.crawl import FoundBy, filter_query
from ingest.clinicaltrials_gov.studies import Study

WindowKind = Literal["update_day", "first_posted_month", "study_type"]
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)
_MAX_REOPENED = 3
_MONTH = re.compile(r"\d{4}-\d{2}(-\d{2})?", re.ASCII)
_TYPE = re.compile(r"[A-Z_]+", re.ASCII)


def expression(kind: WindowKind, key: str) -> str:
    """Essie expression of a window.

    `key` is a day (`2026-03-01`) of the last update, a month (`2026-03` or any day of it) of the first posting, or one
    of the registry's study types. Raises ValueError for a key that is none.
    """
    if kind != "study_type":
        return _range(kind, *_days(kind, key))
    if not _TYPE.fullmatch(key):
        raise ValueError(f"{key!r} is no study type: those are INTERVENTIONAL, OBSERVATIONAL, EXPANDED_ACCESS")
    return f"AREA[StudyType]{key}"


def spans(kind: WindowKind, keys: Sequence[str]) -> list[str]:
    """Expressions that together find what the windows find, with neighbours made one: for counting."""
    if kind == "study_type":
        return [expression(kind, key) for key in keys]
    joined: list[tuple[date, date]] = []
    for first, last in sorted(_days(kind, key) for key in set(keys)):
        if joined and first - joined[-1][1] == timedelta(days=1):
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return [_range(kind, first, last) for first, last in joined]


def _days(kind: WindowKind, key: str) -> tuple[date, date]:
    """The first and last day of a window of days. Raises ValueError."""
    if kind == "update_day":
        return date.fromisoformat(key), date.fromisoformat(key)
    if not _MONTH.fullmatch(key):
        raise ValueError(f"{key!r} is no month: write it as 2026-03")
    first = date.fromisoformat(f"{key[:7]}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def _range(kind: WindowKind, first: date, last: date) -> str:
    area = "LastUpdatePostDate" if kind == "update_day" else "StudyFirstPostDate"
    return f"AREA[{area}]RANGE[{first.isoformat()},{last.isoformat()}]"


def request_name(kind: WindowKind, keys: Sequence[str]) -> str:
    """A name for the loading of just these windows: asked again, it goes on; other windows load beside it."""
    digest = hashlib.sha256(" ".join(sorted(set(keys))).encode()).hexdigest()[:10]
    return f"{kind}_{digest}"


@dataclass
class Windows:
    """The loading of some windows of one kind.

    `left` maps the windows that are not read to their ends to the token of their next page, None before the first.
    `found` counts what was in each: `studies`, and of these `new` and `changed`; `expected` is what the registry
    said of each, `total` of all of them beforehand.
    """

    kind: WindowKind
    registry: str
    scope: str | None
    data_timestamp: str | None
    api_version: str | None
    left: dict[str, str | None]
    found_by: FoundBy = "backfill"
    found: dict[str, dict[str, int]] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    reopened: dict[str, int] = field(default_factory=dict)
    total: int | None = None
    current: str = ""
    studies_read: int = 0
    batch: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_state(cls, state: dict[str, Any] | None) -> "Windows | None":
        """What `to_state` described; None where there is nothing."""
        return None if state is None else cls(**state)

    def to_state(self) -> dict[str, Any]:
        """JSON-able description, for dlt's state."""
        return asdict(self)

    @property
    def phase(self) -> str:
        return "crawl" if self.left else "complete"

    @property
    def studies_expected(self) -> int | None:
        """Studies in all the windows: as counted beforehand, or once each has told."""
        if self.total is not None:
            return self.total
        told = all(key in self.expected for key in self.left)
        return sum(self.expected.values()) if told else None

    def query(self, key: str) -> dict[str, str]:
        """The parameters that every page of a window repeats."""
        return {"sort": "LastUpdatePostDate:asc", **filter_query(self.scope, expression(self.kind, key))}

    def page_read(self, key: str, next_token: str | None, total: int | None) -> None:
        """A page of a window came; `total` with its first one, where the registry counts."""
        self.current = key
        self.found.setdefault(key, {"studies": 0, "new": 0, "changed": 0})
        if total is not None:
            self.expected[key] = total
        self.left[key] = next_token
        if next_token is None:
            del self.left[key]

    def token_expired(self, key: str) -> None:
        """Read a window from its start, since its token is refused: what is stored already is passed over."""
        self.reopened[key] = self.reopened.get(key, 0) + 1
        if self.reopened[key] > _MAX_REOPENED:
            raise RegistryError(f"the registry refuses its own page tokens in {self.kind} {key}")
        self.left[key] = None
        self.studies_read -= self.found.pop(key, {"studies": 0})["studies"]

    def saw(self, study: Study, stored: Any, kind: str) -> None:
        """Count a study in the window that the last page was of."""
        found = self.found[self.current]
        found["studies"] += 1
        if kind in found:
            found[kind] += 1
