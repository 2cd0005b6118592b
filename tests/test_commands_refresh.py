"""What `bioloupe refresh` draws and sums up."""

import io
import sys

import pytest
from rich.console import Console

from orchestration.commands.refresh_report import LOAD, READ, Outcome, conclude, note
from orchestration.commands.refresh_view import Lines, _introduce
from orchestration.settings import Settings

LOADED = {
    "nothing_to_do": False,
    "studies_new": 1_200,
    "studies_changed": 3,
    "studies_gone": 1,
    "studies_rejected": 0,
    "dagster/row_count": 1_200,
}
ANSWERED = {
    "answered_by_rule": 5,
    "answered_by_model": 2,
    "failed": 1,
    "unread": 4,
    "calls": 3,
    "prompt_tokens": 6_000,
    "completion_tokens": 90,
    "cost_usd": 0.0123,
}


def drawn(terminal: bool) -> tuple[Console, io.StringIO]:
    buffer = io.StringIO()
    return Console(file=buffer, force_terminal=terminal, width=100), buffer


def test_what_others_print_stays_off_the_terminal() -> None:
    console, buffer = drawn(terminal=True)
    stdout, stderr = sys.stdout, sys.stderr
    with Lines(console) as lines:
        lines.begin("dbt_staging")
        assert (sys.stdout, sys.stderr) == (stdout, stderr)
        lines.end("dbt_staging", "tables 2")
    assert "tables 2" in buffer.getvalue()


@pytest.mark.parametrize(("named", "asked"), [(None, "gpt-4.1-mini"), ("house", "house")])
def test_the_header_names_the_model_that_is_asked(own_settings: None, named: str | None, asked: str) -> None:
    console, buffer = drawn(terminal=False)
    _introduce(console, Settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1", BIOLOUPE_LLM_MODEL=named))
    assert f"reader    {asked} at http://127.0.0.1:9/v1\n" in buffer.getvalue()


def test_without_a_terminal_each_step_leaves_plain_lines() -> None:
    console, buffer = drawn(terminal=False)
    with Lines(console) as lines:
        lines.begin("load_clinicaltrials_gov")
        lines.move("load_clinicaltrials_gov", 1, 2, "half")
        lines.end("load_clinicaltrials_gov", "all of it", failed=True)
    printed = [line.split(maxsplit=1) for line in buffer.getvalue().splitlines()]
    assert printed == [["load", "begins"], ["load", "half"], ["load", "failed all of it"]]


def test_a_step_that_counts_nothing_ends_with_a_word() -> None:
    console, buffer = drawn(terminal=False)
    with Lines(console) as lines:
        lines.begin("load_clinicaltrials_gov")
        lines.end("load_clinicaltrials_gov", "")
    assert buffer.getvalue().split() == ["load", "begins", "load", "done"]


def test_the_summary_counts_studies_rows_texts_and_cost() -> None:
    console, buffer = drawn(terminal=False)
    conclude(console, Outcome({LOAD: LOADED, READ: ANSWERED}, succeeded=True), 12.0, "0123456789")
    text = " ".join(buffer.getvalue().split())
    assert "studies 1,200 new, 3 changed, 1 gone, 0 rejected" in text
    assert "rows in raw 1,200" in text
    assert "5 by rule, 2 by model, 1 failed, 4 left for the next refresh" in text
    assert "3 (6,000 tokens in, 90 out, $0.0123)" in text
    assert "did not finish" not in text
    assert "psql" in text


@pytest.mark.parametrize(("warnings", "told"), [(["old"], "1 warning"), (["old", "older"], "2 warnings")])
def test_the_summary_counts_warnings(warnings: list[str], told: str) -> None:
    console, buffer = drawn(terminal=False)
    conclude(console, Outcome(warnings=warnings, succeeded=True), 1.0, "0123456789")
    assert f"0 passed, 0 failed, {told}" in [line.strip()[11:] for line in buffer.getvalue().splitlines()]


def test_layers_are_listed_in_their_order_whatever_was_built_first() -> None:
    console, buffer = drawn(terminal=False)
    built = ["analytics/dim_trials", "intermediate/int_stopped_trials", LOAD, READ, "ctgov/stg_ctgov__studies"]
    counted = {key: {**LOADED, **ANSWERED, "dagster/row_count": 2} for key in built}
    conclude(console, Outcome({**counted, "intermediate/int_trial_terms": {}}, succeeded=True), 1.0, "0123456789")
    lines = [line.split() for line in buffer.getvalue().splitlines() if line.startswith("rows in")]
    layers = ("raw", "staging", "intermediate", "enrichment", "analytics")
    assert lines == [["rows", "in", layer, "2"] for layer in layers]


def test_a_failure_names_the_step_the_cause_and_what_is_kept() -> None:
    console, buffer = drawn(terminal=False)
    outcome = Outcome(failures={"dbt_staging": "no [table] there"}, failed_checks=["ctgov/stg_ctgov__studies: unique"])
    conclude(console, outcome, 1.0, "0123456789")
    text = " ".join(buffer.getvalue().split())
    assert "staging failed: no [table] there" in text
    assert "check failed: ctgov/stg_ctgov__studies: unique" in text
    assert "is kept: mend the cause, run it again" in text
    assert "bioloupe ui" in text
    assert "psql" not in text


def test_texts_that_the_model_was_not_to_be_asked_about_are_a_warning() -> None:
    refused = {**ANSWERED, "unread": 1_049, "stopped": "http://h/v1/ refuses the API key [401]"}
    told = []
    for read in (refused, {**refused, "unread": 0}, ANSWERED):
        console, buffer = drawn(terminal=False)
        conclude(console, Outcome({READ: read}, succeeded=True), 1.0, "0123456789")
        told.append([line for line in buffer.getvalue().splitlines() if line.startswith("warning:")])
    assert told == [["warning: 1,049 texts stay unread: http://h/v1/ refuses the API key [401]"], [], []]


def test_a_night_without_news_says_so() -> None:
    values = {**LOADED, "nothing_to_do": True, "registry_timestamp": "2026-06-01T09:00:05"}
    outcome = Outcome({LOAD: values})
    assert note("load_clinicaltrials_gov", outcome).startswith("nothing to do")
