"""Where a crawl of the registry stands, and what it asks next. Kept in dlt's state, so it commits with each batch."""

from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from ingest.clinicaltrials_gov.client import RegistryError, Version
from ingest.clinicaltrials_gov.studies import Study

if TYPE_CHECKING:
    from typing_extensions import Self

OVERLAP = timedelta(days=1)
EVERYTHING = ""
UNDATED = "AREA[LastUpdatePostDate]MISSING"
_MAX_REOPENED = 3

Phase = Literal["crawl", "reconcile", "complete"]
# How a row's content was found. The first load of a registry finds nothing that is new to the world.
FoundBy = Literal["first_load", "nightly", "reconcile", "backfill"]


def updated_since(day: date) -> str:
    """Essie expression for the studies updated on that day or later."""
    return f"AREA[LastUpdatePostDate]RANGE[{day.isoformat()},MAX]"


@dataclass
class Crawl:
    """One pass over (a part of) the registry.

    `legs` are the Essie expressions still to be read, the current one first; `token` continues the current one.
    `cursor` is the latest LastUpdatePostDate that was read. `studies_total` is what the registry holds in all, known
    at the end. `found_by` is written beside what it loads. A crawl goes through the phases in order; `reconcile` is
    skipped where the warehouse then holds as many studies as the registry.
    """

    registry: str
    scope: str | None
    unfiltered: bool
    data_timestamp: str | None
    api_version: str | None
    legs: list[str]
    token: str | None = None
    cursor: date | None = None
    studies_read: int = 0
    studies_expected: int | None = None
    studies_total: int | None = None
    reopened: int = 0
    phase: Phase = "crawl"
    batch: dict[str, int] = field(default_factory=dict)
    found_by: FoundBy = "nightly"

    @classmethod
    def from_state(cls, state: dict[str, Any] | None) -> "Self | None":
        """The crawl that `to_state` described; None where there is none."""
        if state is None:
            return None
        cursor = state["cursor"]
        return cls(**{**state, "cursor": date.fromisoformat(cursor) if cursor else None})

    def to_state(self) -> dict[str, Any]:
        """JSON-able description, for dlt's state."""
        return {**asdict(self), "cursor": self.cursor.isoformat() if self.cursor else None}

    def query(self) -> dict[str, str]:
        """The parameters that every page of the current leg repeats."""
        return {"sort": "LastUpdatePostDate:asc", **filter_query(self.scope, self.legs[0])}

    def saw(self, study: Study, stored: Any, kind: str) -> None:
        """A study was read; here only its date matters."""
        self.reached(study.last_update_post_date)

    def reached(self, updated: date | None) -> None:
        """Move the cursor; a date later than the registry's own data is an error in a record, not a position."""
        if updated is None or (self.cursor is not None and updated <= self.cursor):
            return
        latest = day_of(self.data_timestamp)
        if latest is None or updated <= latest:
            self.cursor, self.reopened = updated, 0

    def page_read(self, next_token: str | None) -> None:
        """Go on to the next page, or to the next leg after a last page."""
        self.token = next_token
        if next_token is None:
            self.legs = self.legs[1:]

    def end_phase(self, reconcile: bool) -> None:
        """Everything of this phase was read. The crawl is complete after its ids were reconciled, or without that."""
        self.phase = "reconcile" if self.phase == "crawl" and reconcile else "complete"

    def token_expired(self) -> None:
        """Continue from the cursor, since the token is refused. Raises RegistryError where that leads nowhere."""
        self.reopened += 1
        if self.reopened > _MAX_REOPENED:
            raise RegistryError(f"the registry refuses its own page tokens at {self.cursor or 'the first page'}")
        self.token = None
        if self.cursor is not None and self.legs[0] != UNDATED:
            # Where an unfiltered crawl puts the records without a date is not documented: ask for them apart.
            rest = [UNDATED] if self.legs[0] == EVERYTHING else self.legs[1:]
            self.legs = [updated_since(self.cursor), *rest]


def filter_query(scope: str | None, expression: str = EVERYTHING) -> dict[str, str]:
    """`filter.advanced` for an expression within the scope; no parameter at all where neither says anything."""
    parts = [f"({scope})" if scope and expression else scope, expression]
    text = " AND ".join(part for part in parts if part)
    return {"filter.advanced": text} if text else {}


def next_crawl(
    previous: Crawl | None,
    registry: str,
    scope: str | None,
    version: Version,
    *,
    full: bool = False,
    found_by: FoundBy = "nightly",
) -> Crawl | None:
    """The crawl to do now: the previous one where it was left, a new one, or None where nothing can have changed.

    A registry or a scope that was not crawled before is a first load, whatever `found_by` says.
    """
    if previous is None or (previous.registry, previous.scope) != (registry, scope):
        return _new_crawl(registry, scope, version, None, "first_load")
    if previous.phase != "complete" and (previous.unfiltered or not full):
        return previous
    if full:
        return _new_crawl(registry, scope, version, None, found_by)
    if version.data_timestamp is not None and version.data_timestamp == previous.data_timestamp:
        return None
    return _new_crawl(registry, scope, version, previous.cursor - OVERLAP if previous.cursor else None, found_by)


def _new_crawl(registry: str, scope: str | None, version: Version, since: date | None, found_by: FoundBy) -> Crawl:
    timestamp, api_version = version.data_timestamp, version.api_version
    legs = [updated_since(since) if since else EVERYTHING]
    return Crawl(registry, scope, since is None, timestamp, api_version, legs, cursor=since, found_by=found_by)


def day_of(data_timestamp: str | None) -> date | None:
    """The day of the registry's `dataTimestamp`; None where it has none that can be read."""
    try:
        return date.fromisoformat((data_timestamp or "")[:10])
    except ValueError:
        return None
