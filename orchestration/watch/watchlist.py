"""A watchlist: a team's own conditions, drugs or sponsors, checked when it is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orchestration.settings import ConfigurationError
from orchestration.watch.terms import runs
from orchestration.watch.terms import slug as slug_of

MOST_TERMS = 50
LONGEST_TERM = 200
LONGEST_SLUG = 60
SHORTEST_TERM = 2
KINDS = {
    "terms": "text",
    "conditions": "--condition",
    "drugs": "--drug",
    "sponsors": "--sponsor",
}


class WatchlistError(ConfigurationError):
    """A watchlist cannot be made or found as asked; the message says what to change."""


@dataclass(frozen=True)
class Watchlist:
    """What is watched. A trial matches where each kind that has terms finds one of them.

    `terms` are looked for in conditions, interventions, keywords, titles and sponsors; the others only in their own.
    """

    slug: str
    title: str
    terms: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    created_at: datetime | None = None

    def filters(self) -> dict[str, tuple[str, ...]]:
        """The kinds that have terms: `terms`, `conditions`, `drugs`, `sponsors` → what they look for."""
        return {kind: found for kind in KINDS if (found := getattr(self, kind))}

    def same_as(self, other: "Watchlist") -> bool:
        """Whether both find the same trials: equal terms, however they are written or ordered."""
        return _meaning(self) == _meaning(other)

    def __str__(self) -> str:
        """As one would say it: KRAS G12C; condition melanoma or uveal melanoma; sponsor Novartis."""
        words = {"terms": "", "conditions": "condition ", "drugs": "drug ", "sponsors": "sponsor "}
        return "; ".join(words[kind] + " or ".join(found) for kind, found in self.filters().items())


def watchlist(
    terms: Iterable[str] = (),
    conditions: Iterable[str] = (),
    drugs: Iterable[str] = (),
    sponsors: Iterable[str] = (),
    name: str | None = None,
) -> Watchlist:
    """A new watchlist, named after its terms unless `name` says otherwise. Raises WatchlistError."""
    given = {"terms": terms, "conditions": conditions, "drugs": drugs, "sponsors": sponsors}
    checked = {kind: _checked(kind, found) for kind, found in given.items()}
    everything = [term for found in checked.values() for term in found]
    if not everything:
        raise WatchlistError("nothing to watch: give a text, --condition, --drug or --sponsor")
    if len(everything) > MOST_TERMS:
        raise WatchlistError(
            f"{len(everything)} terms are too many for one watchlist (most: {MOST_TERMS}); make several"
        )
    title = " ".join((name if name is not None else ", ".join(everything)).split())
    slug = _named(title, given_name=name is not None)
    return Watchlist(slug, title, checked["terms"], checked["conditions"], checked["drugs"], checked["sponsors"])


def _checked(kind: str, terms: Iterable[str]) -> tuple[str, ...]:
    """The terms without spare white space, each once. Raises WatchlistError."""
    kept: dict[tuple[str, ...], str] = {}
    for term in terms:
        text = " ".join(term.split())
        _check(kind, text)
        kept.setdefault(tuple(runs(text)), text)
    return tuple(kept.values())


def _check(kind: str, term: str) -> None:
    where = KINDS[kind]
    if not term:
        raise WatchlistError(f"{where} is empty: give a word or a phrase")
    if len("".join(runs(term))) < SHORTEST_TERM:
        raise WatchlistError(f'{where} "{term}" is too short: it needs {SHORTEST_TERM} letters or digits at least')
    if len(term) > LONGEST_TERM:
        raise WatchlistError(f'{where} "{term[:40]}…" is too long: {len(term)} characters (most: {LONGEST_TERM})')


def _named(title: str, given_name: bool) -> str:
    found = slug_of(title)
    if not found:
        remedy = "give a --name with letters a to z or digits"
        raise WatchlistError(f'"{title}" cannot name a watchlist: {remedy}')
    if given_name and len(found) > LONGEST_SLUG:
        raise WatchlistError(f"the name is too long: {len(found)} characters (most: {LONGEST_SLUG})")
    return found[:LONGEST_SLUG].strip("-")


def _meaning(one: Watchlist) -> dict[str, frozenset[tuple[str, ...]]]:
    return {kind: frozenset(tuple(runs(term)) for term in found) for kind, found in one.filters().items()}
