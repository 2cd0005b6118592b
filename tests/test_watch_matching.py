"""Which names a watchlist finds, asked of a real Postgres; its table; what falls due on which session."""

from datetime import date, datetime, timezone

import pytest

from orchestration.warehouse import query
from orchestration.watch import store
from orchestration.watch.catalysts import catalysts, coming_sessions
from orchestration.watch.matching import changes, trials
from orchestration.watch.misses import misses
from orchestration.watch.reading import NotBuilt
from orchestration.watch.terms import pattern
from orchestration.watch.watchlist import Watchlist, WatchlistError, watchlist
from tests.watch_house import WatchHouse

pytestmark = pytest.mark.integration

FINDS = [
    ("PD-1", "an anti-PD-1/PD-L1 antibody", True),
    ("PD-1", "PD1 blockade", True),
    ("PD-1", "PD 1", True),
    ("PD-1", "PD‑1 with another hyphen", True),  # noqa: RUF001
    ("PD-1", "PD-10", False),
    ("PD-1", "PD-L1", False),
    ("PD1", "PD-1", True),
    ("IL-2", "aldesleukin (IL-2)", True),
    ("IL-2", "IL-2R", False),
    ("IL-2", "IL-21", False),
    ("IL-2", "IL-12", False),
    ("IL-2", "VIL-2", False),
    ("kras g12c", "KRAS-G12C mutated NSCLC", True),
    ("KRAS G12C", "KRAS (G12C)", True),
    ("KRAS G12C", "KRAS G12D; EGFR G12C", False),
    ("MK-3475", "MK3475", True),
    ("TGF-β", "TGF-beta", True),
    ("TGF-beta", "TGFβ1 or TGF-Β", True),  # noqa: RUF001
    ("TGF-β", "TGFβ1", False),
    ("interferon alpha", "Interferon Alfa-2b", True),
    ("β-blocker", "beta blockers", False),
    ("Sjogren", "Sjögren's Syndrome", True),
    ("Sjögren", "SJÖGREN", True),
    ("a.c", "abc", False),
    ("C1-esterase", "c1 esterase inhibitor", True),
    ("O'Brien (UK) [a|b]", "O'Brien (UK) [a|b]", True),
    ('5% "dextrose"', '5% "dextrose" infusion', True),
    ("100%_x", "100 yx", False),
    ("Crohn's disease", "Crohn’s Disease", True),  # noqa: RUF001
    ("HIV", "shiver", False),
    ("HER2", "HER2+ breast cancer", True),
    ("COVID-19", "COVID 19", True),
]


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_terms_find_whole_words_however_they_are_written(warehouse_url: str, locale: str) -> None:
    collate = "" if locale == "C.UTF-8" else 'collate "C"'
    found = [
        (term, name, query(warehouse_url, f"select %s {collate} ~* %s", (name, pattern(term)))[0][0])
        for term, name, _ in FINDS
    ]
    assert found == FINDS


@pytest.fixture
def house(warehouse_url: str, own_settings: None) -> WatchHouse:
    made = WatchHouse(warehouse_url)
    lung = {"condition": ["Lung Neoplasms", "NSCLC"], "intervention": ["sotorasib", "AMG 510"], "sponsor": ["Amgen"]}
    made.trial(
        "NCT1", {**lung, "title": ["KRAS G12C lung cancer"]}, phase="PHASE3", last_update_posted_date="2026-11-01"
    )
    made.trial("NCT2", {"condition": ["Melanoma"], "keyword": ["KRAS G12C"], "sponsor": ["Novartis", "Amgen"]})
    made.trial("NCT3", {"condition": ["Melanoma"], "title": ["Amgen's drug in melanoma"], "sponsor": ["NCI"]})
    made.trial("NCT4", {"title": ["KRAS G12C, which is gone"]}, deleted_at="2026-11-02")
    return made


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (watchlist(["KRAS G12C"]), ["NCT1", "NCT2"]),
        (watchlist(["Amgen"]), ["NCT1", "NCT2", "NCT3"]),
        (watchlist(sponsors=["amgen"]), ["NCT1", "NCT2"]),
        (watchlist(drugs=["AMG-510"]), ["NCT1"]),
        (watchlist(conditions=["melanoma", "NSCLC"]), ["NCT1", "NCT2", "NCT3"]),
        (watchlist(["KRAS G12C"], conditions=["melanoma"]), ["NCT2"]),
        (watchlist(conditions=["melanoma"], sponsors=["Amgen", "NCI"]), ["NCT2", "NCT3"]),
        (watchlist(drugs=["melanoma"]), []),
    ],
)
def test_kinds_must_all_find_something_and_terms_of_a_kind_any(
    house: WatchHouse, asked: Watchlist, expected: list[str]
) -> None:
    assert sorted(trials(house.url, asked)["nct_id"]) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (watchlist(drugs=["sotorasid"]), ['--drug "sotorasid" is in no intervention; near it: sotorasib']),
        (watchlist(drugs=["AMGEN"]), ['--drug "AMGEN" is in no intervention']),
        (
            watchlist(["melanomma", "KRAS G12C"], sponsors=["novartys"]),
            [
                'text "melanomma" is in no condition, intervention, keyword, title or sponsor; near it: Melanoma',
                '--sponsor "novartys" is in no sponsor; near it: Novartis',
            ],
        ),
        (watchlist(conditions=["melanoma"], drugs=["sotorasib"]), ["what is found is in no trial together"]),
    ],
)
def test_a_watchlist_that_matches_nothing_says_what_is_found_nowhere(
    house: WatchHouse, asked: Watchlist, expected: list[str]
) -> None:
    assert misses(house.url, asked) == expected


def test_matching_trials_say_what_was_found_newest_first(house: WatchHouse) -> None:
    table = trials(house.url, watchlist(["KRAS G12C"], sponsors=["amgen"]))
    assert table["nct_id"].to_list() == ["NCT1", "NCT2"]
    assert table["matched"].to_list() == ["Amgen; KRAS G12C lung cancer", "Amgen; KRAS G12C"]
    assert table["last_update_posted_date"].to_list() == [date(2026, 11, 1), None]


def test_changes_are_those_of_the_window_vanished_trials_too(house: WatchHouse) -> None:
    first, second = datetime(2026, 11, 16, 5, tzinfo=timezone.utc), datetime(2026, 11, 23, 5, tzinfo=timezone.utc)
    house.change("NCT1", "overall_status", "RECRUITING", "COMPLETED", first)
    house.change("NCT3", "overall_status", "RECRUITING", "COMPLETED", first)
    house.change("NCT4", "record", None, None, datetime(2026, 11, 20, tzinfo=timezone.utc))
    house.change("NCT2", "phase", "PHASE1", "PHASE2", second)
    table = changes(house.url, watchlist(["KRAS G12C"]), first, second)
    assert table.select("nct_id", "change_type").rows() == [("NCT4", "vanished"), ("NCT1", "changed")]
    assert changes(house.url, watchlist(["nothing of the kind"]), first, second).is_empty()


def test_a_warehouse_that_is_not_built_says_what_to_do(warehouse_url: str, own_settings: None) -> None:
    with pytest.raises(NotBuilt, match=r"not built yet .*int_trial_terms.*: run `bioloupe refresh`"):
        trials(warehouse_url, watchlist(["KRAS"]))


def test_watchlists_are_kept_and_found_by_name(house: WatchHouse) -> None:
    made = store.add(
        house.url, watchlist(["KRAS G12C", 'it\'s "quoted" {braces}'], sponsors=["Amgen"], name="Our KRAS")
    )
    assert made.created_at is not None
    assert store.watchlists(house.url) == [made] == [store.find(house.url, "our kras")]
    assert store.remove(house.url, "OUR-KRAS") == made
    assert store.watchlists(house.url) == []


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        (watchlist(["kras-g12c"], name="another"), "kras-g12c watches the same already"),
        (watchlist(["melanoma"], name="KRAS g12c!"), "give this one a --name"),
    ],
)
def test_a_watchlist_is_kept_once(house: WatchHouse, second: Watchlist, complaint: str) -> None:
    store.add(house.url, watchlist(["KRAS G12C"]))
    with pytest.raises(WatchlistError, match=complaint):
        store.add(house.url, second)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("kras", "did you mean kras-g12c"), ("zzz", "there are: kras-g12c"), ("", "there are: kras-g12c")],
)
def test_an_unknown_name_is_answered_with_those_that_there_are(house: WatchHouse, name: str, complaint: str) -> None:
    store.add(house.url, watchlist(["KRAS G12C"]))
    with pytest.raises(WatchlistError, match=complaint):
        store.find(house.url, name)


def test_the_table_itself_refuses_what_no_watchlist_may_be(house: WatchHouse) -> None:
    for slug, terms in (("Not A Slug", ["kras"]), ("empty", [])):
        with pytest.raises(Exception, match="violates check constraint"):
            query(
                house.url, "insert into watchlists.watchlists (slug, title, terms) values (%s, 'x', %s)", (slug, terms)
            )


def test_what_falls_due_while_the_exchange_is_closed_counts_for_the_next_session(house: WatchHouse) -> None:
    days = ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"]
    for day in days:  # Thanksgiving is the 26th, the weekend the 28th and 29th
        house.due("NCT1", "primary completion", date.fromisoformat(day))
    table = catalysts(house.url, coming_sessions(date(2026, 11, 25), 6))
    assert [
        (str(t), str(d), late) for t, d, late in table.select("trading_day", "due_date", "days_since_due").rows()
    ] == [
        ("2026-11-25", "2026-11-25", 0),
        ("2026-11-27", "2026-11-26", 1),
        ("2026-11-27", "2026-11-27", 0),
        ("2026-11-30", "2026-11-28", 2),
        ("2026-11-30", "2026-11-29", 1),
        ("2026-11-30", "2026-11-30", 0),
    ]


def test_christmas_and_a_weekend_roll_together(house: WatchHouse) -> None:
    house.due("NCT1", "results", date(2026, 12, 25), completed=date(2025, 12, 25))
    house.due("NCT2", "primary completion", date(2026, 12, 27))
    (first, second) = catalysts(house.url, [date(2026, 12, 28)]).to_dicts()
    assert (first["falls_due"], first["days_since_due"], first["days_since_primary_completion"]) == (
        "primary completion",
        1,
        1,
    )
    assert (second["falls_due"], second["days_since_due"], second["days_since_primary_completion"]) == (
        "results",
        3,
        368,
    )
    with pytest.raises(ValueError, match="2026-12-28 is the next session"):
        catalysts(house.url, [date(2026, 12, 25)])


def test_catalysts_of_a_watchlist(house: WatchHouse) -> None:
    for trial in ("NCT1", "NCT2", "NCT3"):
        house.due(trial, "primary completion", date(2026, 11, 24))
    table = catalysts(house.url, [date(2026, 11, 24)], watchlist(sponsors=["Amgen"]))
    assert table["nct_id"].to_list() == ["NCT1", "NCT2"]
    assert catalysts(house.url, []).is_empty()
