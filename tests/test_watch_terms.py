"""What a watchlist may hold, and what its terms look like to Postgres."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.watch.terms import pattern, runs, slug
from orchestration.watch.watchlist import LONGEST_SLUG, Watchlist, WatchlistError, watchlist


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("KRAS G12C", ["kras", "g", "12", "c"]),
        ("PD-1", ["pd", "1"]),
        ("TGF-β1", ["tgf", "β", "1"]),
        ("tgf beta-1", ["tgf", "β", "1"]),
        ("interferon alfa-2b", ["interferon", "α", "2", "b"]),  # noqa: RUF001
        ("Sjögren's", ["sjogren", "s"]),
        ("µ-opioid", ["μ", "opioid"]),
        ("a.*(b)|[c]{2}\\d'\"%_;--", ["a", "b", "c", "2", "d"]),
        ("++ -- %%", []),
    ],
)
def test_a_term_is_runs_of_letters_and_digits(term: str, expected: list[str]) -> None:
    assert runs(term) == expected


@given(st.text(max_size=60))
def test_nothing_but_letters_and_digits_of_a_term_gets_into_its_pattern(term: str) -> None:
    bare = pattern(term)
    for part in (r"(?<![[:alnum:]\u0370-\u03FF])", r"(?![[:alnum:]\u0370-\u03FF])", r"[^[:alnum:]\u0370-\u03FF]{0,3}"):
        bare = bare.replace(part, "")
    # What is left are the runs, classes of one letter's accents, and Greek letters with their names.
    assert re.sub(r"\(\?:\[\w+\](\|\w+)+\)|\[\w+\]|[^\W_]", "", bare) == ""


@given(st.text(max_size=200))
def test_a_slug_is_safe_in_partition_keys_urls_and_files(text: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", slug(text))
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("KRAS G12C", "kras-g12c"), ("  TGF-β / Sjögren's! ", "tgf-beta-sjogren-s"), ("|[x],y", "x-y"), ("肺癌", "")],
)
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_watchlist_is_named_after_its_terms() -> None:
    made = watchlist(["KRAS  G12C "], drugs=["sotorasib", "Sotorasib"], sponsors=["Amgen"])
    assert made == Watchlist(
        "kras-g12c-sotorasib-amgen", "KRAS G12C, sotorasib, Amgen", ("KRAS G12C",), (), ("sotorasib",), ("Amgen",)
    )
    assert str(made) == "KRAS G12C; drug sotorasib; sponsor Amgen"
    assert watchlist(["KRAS G12C"], name="Our KRAS").slug == "our-kras"


def test_a_long_list_has_a_name_of_bearable_length() -> None:
    made = watchlist([f"condition number {n}" for n in range(10)])
    assert len(made.slug) <= LONGEST_SLUG
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made.slug)


@pytest.mark.parametrize(
    ("given_terms", "complaint"),
    [
        ({}, "nothing to watch"),
        ({"terms": ["  "]}, "text is empty"),
        ({"conditions": ["x"]}, '--condition "x" is too short'),
        ({"drugs": ["++--"]}, '--drug "\\+\\+--" is too short'),
        ({"sponsors": ["a" * 201]}, "--sponsor .* is too long: 201 characters"),
        ({"terms": [f"term {n}" for n in range(51)]}, "51 terms are too many"),
        ({"terms": ["肺癌"]}, "give a --name"),
        ({"terms": ["KRAS"], "name": "!!"}, "give a --name"),
        ({"terms": ["KRAS"], "name": "n" * 61}, "the name is too long"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_the_remedy(given_terms: dict[str, object], complaint: str) -> None:
    with pytest.raises(WatchlistError, match=complaint):
        watchlist(**given_terms)  # type: ignore[arg-type]


def test_the_same_terms_in_other_words_are_the_same_watchlist() -> None:
    one = watchlist(["PD-1", "TGF-β"], name="one")
    assert one.same_as(watchlist(["tgf beta", "PD1"], name="two"))
    assert not one.same_as(watchlist(drugs=["PD-1", "TGF-β"]))
