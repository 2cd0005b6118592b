"""Watchlists in the warehouse: the table `watchlists.watchlists`."""

from dataclasses import replace
from difflib import get_close_matches

from orchestration.warehouse import query
from orchestration.watch.terms import slug
from orchestration.watch.watchlist import Watchlist, WatchlistError

_COLUMNS = "slug, title, terms, conditions, drugs, sponsors, created_at"
_ALL = f"select {_COLUMNS} from watchlists.watchlists order by slug"
_ADD = """
insert into watchlists.watchlists (slug, title, terms, conditions, drugs, sponsors) values (%s, %s, %s, %s, %s, %s)
on conflict (slug) do nothing returning created_at
"""


def watchlists(url: str) -> list[Watchlist]:
    """All watchlists, by name."""
    return [
        Watchlist(name, title, tuple(terms), tuple(conditions), tuple(drugs), tuple(sponsors), created_at)
        for name, title, terms, conditions, drugs, sponsors, created_at in query(url, _ALL)
    ]


def find(url: str, name: str) -> Watchlist:
    """The watchlist of this name, in any spelling that gives its slug. Raises WatchlistError, which names others."""
    known = {one.slug: one for one in watchlists(url)}
    found = known.get(slug(name))
    if found is not None:
        return found
    near = get_close_matches(slug(name), known, n=3, cutoff=0.5)
    if near:
        raise WatchlistError(f'there is no watchlist "{name}"; did you mean {" or ".join(near)}?')
    remedy = f"there are: {', '.join(known)}" if known else f'there are none yet: bioloupe watch add "{name}"'
    raise WatchlistError(f'there is no watchlist "{name}"; {remedy}')


def add(url: str, new: Watchlist) -> Watchlist:
    """Store a new watchlist; the same with its time. Raises WatchlistError where its name or its terms are taken."""
    for old in watchlists(url):
        if new.same_as(old):
            raise WatchlistError(f"{old.slug} watches the same already: bioloupe watch show {old.slug}")
    lists = (list(found) for found in (new.terms, new.conditions, new.drugs, new.sponsors))
    rows = query(url, _ADD, (new.slug, new.title, *lists))
    if not rows:
        raise WatchlistError(f"there is a watchlist {new.slug} already, of other terms: give this one a --name")
    return replace(new, created_at=rows[0][0])


def remove(url: str, name: str) -> Watchlist:
    """Delete a watchlist; what it was. Raises WatchlistError where there is none of this name."""
    old = find(url, name)
    query(url, "delete from watchlists.watchlists where slug = %s returning slug", (old.slug,))
    return old
