"""What a report says: its payload, its facts in words, where its pages are kept, and finding Node."""

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.reports import node, pages
from orchestration.reports.brief import FACTS, STUDY_URL, brief
from orchestration.reports.facts import sentence
from orchestration.reports.node import RendererMissing, command
from orchestration.reports.report import MOST_ROWS, Report, Section, payload
from orchestration.reports.sections import SECTIONS
from orchestration.settings import Settings, settings

LONG = pl.DataFrame({"area": ["B", "B", "A"], "phase": ["2", "1", "2"], "trials": [1, 2, 3]})


def section(table: pl.DataFrame | None, pivot: tuple[str, str, str] | None = None) -> Section:
    return Section("s", "Title", "note", table, {"mark": "bar"}, "Nothing.", {"area": "Area"}, pivot=pivot)


def shown(one: Section) -> dict[str, object]:
    return payload(Report("t", "s", [("a", "b")], [one]))["sections"][0]  # type: ignore[no-any-return]


def test_a_pivot_keeps_the_order_of_rows_and_columns_and_fills_gaps() -> None:
    told = shown(section(LONG, ("area", "phase", "trials")))
    assert told["shown"] == {
        "columns": [
            {"name": "area", "heading": "Area", "numeric": False},
            {"name": "2", "heading": "2", "numeric": True},
            {"name": "1", "heading": "1", "numeric": True},
        ],
        "rows": [{"area": "B", "2": 1, "1": 2}, {"area": "A", "2": 3, "1": 0}],
    }
    assert len(told["rows"]) == 3  # type: ignore[arg-type]


def test_cells_are_json() -> None:
    moment = datetime(2026, 6, 1, 9, 5, 7, tzinfo=timezone.utc)
    table = pl.DataFrame({"a": [date(2026, 6, 1)], "b": [moment], "c": [Decimal("1.50")], "d": [None], "e": ["x"]})
    row = {"a": "2026-06-01", "b": "2026-06-01 09:05+00:00", "c": 1.5, "d": None, "e": "x"}
    told = shown(section(table))
    assert told["rows"] == [row]
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("table", [None, pl.DataFrame(), LONG.clear()])
def test_no_rows_are_words(table: pl.DataFrame | None) -> None:
    told = shown(section(table))
    assert (told["rows"], told["shown"], told["empty"]) == ([], None, "Nothing.")


def test_a_table_that_is_too_long_for_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="section s: 1,001 rows"):
        shown(section(pl.DataFrame({"a": range(MOST_ROWS + 1)})))


NIGHT = {"Trials": "1,200", "New": "3", "Changed": "20", "Gone": "0", "Load before the last": "1 Jun 2026, 09:00 UTC"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (NIGHT, "3 trials new, 20 changed, 0 gone"),
        (NIGHT | {"New": "0", "Changed": "0"}, "Nothing that is watched changed"),
        (NIGHT | {"Load before the last": "none"}, "The first load: 1,200 trials"),
        (NIGHT | {"New": "not known"}, "How the registry stands"),
    ],
)
def test_the_night_in_one_sentence(facts: dict[str, str], words: str) -> None:
    assert words in sentence(facts)


def _brief(config: Settings) -> Report:
    tables = {one.name: pl.DataFrame() for one in SECTIONS}
    tables[FACTS] = pl.DataFrame(list(NIGHT.items()), schema=["fact", "value"], orient="row")
    return brief(date(2026, 6, 2), tables, "400 passed", config)


def test_trials_that_do_not_exist_are_not_linked_and_said_to_be_made_up(own_settings: None) -> None:
    told = _brief(settings())
    assert told.study_url is None
    assert "none of these trials exists" in told.footer
    assert told.title == "Nightly brief, 2 June 2026"
    assert told.facts[-1] == ("Checks", "400 passed")


def test_real_trials_are_linked(own_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOLOUPE_SOURCES", "live")
    settings.cache_clear()
    told = _brief(settings())
    assert (told.study_url, told.footer) == (STUDY_URL, "Made by bioloupe-data. Source: ClinicalTrials.gov.")


def test_a_section_whose_mart_is_missing_says_so(own_settings: None) -> None:
    told = {one.name: one for one in _brief(settings()).sections}["llm_spend"]
    assert told.table is None
    assert "analytics.fct_llm_spend" in told.empty
    assert "bioloupe refresh" in told.empty


def test_the_newest_page_is_the_latest(own_settings: None) -> None:
    assert pages.latest("brief") is None
    for day in ("2026-06-01", "2026-06-02"):
        page = pages.page("brief", day)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(day)
        pages.publish(page)
    latest = pages.latest("brief")
    assert latest is not None
    assert latest.read_text() == "2026-06-02"
    assert sorted(file.name for file in latest.parent.iterdir()) == [
        "2026-06-01.html",
        "2026-06-02.html",
        "latest.html",
    ]


@given(st.text(), st.text())
def test_no_name_leaves_the_folder(report: str, edition: str) -> None:
    home = settings().home / "reports"
    page = pages.page(f"watchlist_brief/{report}", edition)
    assert home in page.parents
    assert ".." not in page.parts
    assert page.suffix == ".html"


def test_partitions_have_readable_names(own_settings: None) -> None:
    assert pages.page("watchlist_brief/KRAS G12C", "2026-06-01|x").parts[-2:] == ("KRAS-G12C", "2026-06-01-x.html")


def fake_node(folder: Path, says: str) -> Path:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("says", "words"), [("echo v20.1.0", "is Node 20.1.0, and 24 is needed"), ("exit 3", "does not run")]
)
def test_a_node_that_will_not_do_is_said_in_one_line(
    own_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, words: str
) -> None:
    monkeypatch.setenv("BIOLOUPE_NODE", str(fake_node(tmp_path, says)))
    settings.cache_clear()
    with pytest.raises(RendererMissing, match=words) as found:
        command()
    assert "BIOLOUPE_NODE" in str(found.value)
    assert "\n" not in str(found.value)


def test_without_node_or_its_packages_the_remedy_is_named(
    own_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "RENDERER", tmp_path)
    monkeypatch.setenv("BIOLOUPE_NODE", str(fake_node(tmp_path, "echo v24.1.0")))
    settings.cache_clear()
    with pytest.raises(RendererMissing, match=r"npm packages are not installed: run `make setup`"):
        command()
    monkeypatch.delenv("BIOLOUPE_NODE")
    monkeypatch.setattr(node, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", "/nowhere")
    settings.cache_clear()
    with pytest.raises(RendererMissing, match="no Node on this machine"):
        command()
