"""Why a watchlist matches nothing: terms that stand nowhere, with the names that are nearest to them."""

from __future__ import annotations

import difflib

from orchestration.watch.matching import LOOKS_IN
from orchestration.watch.reading import read
from orchestration.watch.terms import pattern
from orchestration.watch.watchlist import KINDS, Watchlist

# A slip of the finger changes a name's length by no more.
ABOUT = 2
COMPARED = 5_000
SHOWN = 3
NEAR = 0.75
FOUND = """
select term from {intermediate}.int_trial_terms where kind = any(%(kinds)s) and term ~* %(pattern)s limit 1
"""
# Of names that differ in case alone the commonest, common names first.
CANDIDATES = """
select mode() within group (order by term) as term from {intermediate}.int_trial_terms
where kind = any(%(kinds)s) and char_length(term) between %(shortest)s and %(longest)s
group by lower(term) order by count(*) desc, 1 limit %(compared)s
"""


def misses(url: str, watchlist: Watchlist) -> list[str]:
    """A line for each term that no name contains, and one where only the kinds' coming together is missed."""
    told, filters, found = [], watchlist.filters(), set()
    for kind, terms in filters.items():
        for term in terms:
            if read(url, FOUND, {"kinds": LOOKS_IN[kind], "pattern": pattern(term)}).height:
                found.add(kind)
                continue
            near = nearest(url, LOOKS_IN[kind], term)
            hint = f"; near it: {', '.join(near)}" if near else ""
            told.append(f'{KINDS[kind]} "{term}" is in no {_listed(LOOKS_IN[kind])}{hint}')
    if len(found) == len(filters) > 1:
        told.append("what is found is in no trial together")
    return told


def nearest(url: str, kinds: list[str], term: str) -> list[str]:
    """The names of these kinds that are written almost like the term, nearest first."""
    lengths = {"shortest": len(term) - ABOUT, "longest": len(term) + ABOUT}
    names = read(url, CANDIDATES, {"kinds": kinds, "compared": COMPARED, **lengths})["term"]
    written = {name.lower(): name for name in names}
    return [written[name] for name in difflib.get_close_matches(term.lower(), written, SHOWN, NEAR)]


def _listed(kinds: list[str]) -> str:
    *most, last = kinds
    return f"{', '.join(most)} or {last}" if most else last
