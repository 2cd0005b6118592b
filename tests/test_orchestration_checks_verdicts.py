"""The rules of the anomaly checks: how far a table may move before somebody is told, and before all else waits."""

from datetime import datetime, timezone

import pytest
from dagster import AssetKey
from hypothesis import given
from hypothesis import strategies as st

from orchestration.checks.bounds import bounds_of
from orchestration.checks.tables import result
from orchestration.checks.verdicts import Baseline, Bounds, Column, Observation, Verdict, judge, tolerated_loss

BOUNDS = Bounds(shrink=0.10, gone=0.05, growth=1.0, nulls_warn=0.10, nulls_error=0.50)


def table(rows: int, **filled: int) -> Observation:
    return Observation("ctgov.t", rows, {name: Column("text", count) for name, count in filled.items()})


def compare(
    now: Observation, last: Observation, bounds: Bounds = BOUNDS, peak: int | None = None
) -> dict[str, Verdict]:
    before = Baseline(last, datetime.now(timezone.utc), peak or last.rows, last.live)
    return {verdict.check: verdict for verdict in judge(now, before, bounds)}


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [(10_000, 9_001, False), (10_000, 8_999, True), (10_000, 0, True), (20, 8, False), (20, 6, True), (9, 0, False)],
)
def test_a_table_that_shrinks_beyond_its_bound_holds_what_follows(before: int, now: int, held: bool) -> None:
    assert compare(table(now), table(before))["row_count"].holds is held


@given(st.integers(min_value=10, max_value=10**9), st.floats(min_value=0.001, max_value=0.9))
def test_nothing_of_ten_or_more_may_vanish_entirely(expected: int, bound: float) -> None:
    assert 0 < tolerated_loss(expected, bound) < expected


def test_a_table_that_only_grows_may_not_lose_a_row() -> None:
    assert compare(table(2_999), table(3_000), bounds_of("raw_ctgov.studies"))["row_count"].holds
    assert compare(table(3_000), table(3_000), bounds_of("raw_ctgov.studies"))["row_count"].passed
    assert bounds_of("feature__ctgov.studies") == bounds_of("ctgov.studies")


@pytest.mark.parametrize("log", ["analytics.fct_trial_changes", "feature__analytics.fct_trial_changes"])
def test_a_log_may_grow_without_bound_and_not_shrink(log: str) -> None:
    assert compare(table(351), table(1), bounds_of(log))["row_count"].passed
    assert compare(table(350), table(351), bounds_of(log))["row_count"].holds


def test_sponsors_moves_may_grow_without_bound_and_lose_a_few_rows() -> None:
    moves = bounds_of("analytics.fct_sponsor_moves")
    assert compare(table(9_000), table(1_000), moves)["row_count"].passed
    assert compare(table(999), table(1_000), moves)["row_count"].passed
    assert compare(table(800), table(1_000), moves)["row_count"].holds


def test_a_slow_leak_shows_against_the_week_s_peak() -> None:
    verdict = compare(table(8_900), table(9_100), peak=10_000)["row_count"]
    assert verdict.holds
    assert "11.0% fewer than the 10,000" in verdict.text


def test_rows_that_are_all_marked_as_gone_are_rows_lost() -> None:
    last, now = table(1_000, deleted_at=10), table(1_000, deleted_at=400)
    assert compare(now, last)["row_count"].holds
    assert compare(now, last)["null_rates"].passed
    assert compare(table(1_000, deleted_at=40), last)["row_count"].passed


def test_growth_is_a_warning() -> None:
    verdict = compare(table(25_000), table(10_000))["row_count"]
    assert (verdict.passed, verdict.severity, verdict.holds) == (False, "WARN", False)
    assert compare(table(19_000), table(10_000))["row_count"].passed


@pytest.mark.parametrize(
    ("name", "repair"),
    [
        ("ctgov.keywords", "; where not: `dbt run --full-refresh --select stg_ctgov__keywords`"),
        ("feature__ctgov.keywords", "; where not: `dbt run --full-refresh --select stg_ctgov__keywords`"),
        ("raw_ctgov.studies", ""),
        ("analytics.dim_trials", ""),
    ],
)
def test_what_holds_names_the_ways_out(name: str, repair: str) -> None:
    told = result(AssetKey(name.split(".")), name, compare(table(0), table(1_000))["row_count"]).description or ""
    assert told.endswith(f"Where it is meant so: `bioloupe checks accept {name}`{repair}; then run again")


@pytest.mark.parametrize(
    ("filled", "passed", "severity"), [(880, True, "ERROR"), (700, False, "WARN"), (300, False, "ERROR")]
)
def test_values_that_go_missing_warn_and_then_hold(filled: int, passed: bool, severity: str) -> None:
    verdict = compare(table(1_000, phase=filled), table(1_000, phase=900))["null_rates"]
    assert verdict.passed is passed
    assert passed or verdict.severity == severity


def test_a_sparse_column_that_is_emptied_shows() -> None:
    verdict = compare(table(1_000, why_stopped=0), table(1_000, why_stopped=50))["null_rates"]
    assert verdict.holds
    assert "why_stopped 95% → 100% null" in verdict.text


def test_fewer_rows_alone_are_no_missing_values() -> None:
    assert compare(table(500, phase=450), table(1_000, phase=900))["null_rates"].passed


def test_columns_dropped_changed_and_new() -> None:
    last = Observation("t", 5, {"a": Column("text", 5), "b": Column("date", 5)})
    dropped = Observation("t", 5, {"a": Column("text", 5)})
    changed = Observation("t", 5, {"a": Column("text", 5), "b": Column("text", 5), "c": Column("text", 5)})
    assert compare(dropped, last)["columns"].holds
    verdict = compare(changed, last)["columns"]
    assert (verdict.passed, verdict.severity) == (False, "WARN")
    assert verdict.text == "b was date, is text; new: c text"


def test_the_first_night_passes_and_says_so() -> None:
    assert all(
        verdict.passed and "nothing to compare with" in verdict.text for verdict in judge(table(3), None, BOUNDS)
    )


def test_a_table_that_was_there_and_is_not_holds_and_one_not_made_yet_warns() -> None:
    before = Baseline(table(9), datetime.now(timezone.utc), 9, 9)
    assert all(verdict.holds for verdict in judge(None, before, BOUNDS))
    assert not any(verdict.passed or verdict.holds for verdict in judge(None, None, BOUNDS))
