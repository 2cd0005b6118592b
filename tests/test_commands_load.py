"""`bioloupe backfill` and `bioloupe reconcile`: what is asked for, and what is shown of it."""

import io
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from orchestration.commands.backfill import TYPES, backfill
from orchestration.commands.load_view import BY, STEPS, show_backfill, show_reconcile, windows
from orchestration.settings import settings
from orchestration.warehouse import query
from tests.registry_server import Registry, make_study


def test_windows_are_the_partitions_between_two_dates() -> None:
    assert windows("day", date(2024, 2, 27), date(2024, 3, 1), ()) == [
        *("2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01")
    ]
    assert windows("month", date(2015, 1, 20), date(2015, 3, 1), ()) == ["2015-01-01", "2015-02-01", "2015-03-01"]
    assert windows("type", None, None, ("OBSERVATIONAL",)) == ["OBSERVATIONAL"]
    assert windows("type", None, None, ()) == TYPES
    assert windows("day", date(2024, 3, 2), date(2024, 3, 1), ()) is None
    assert windows("day", date(2999, 1, 1), None, ()) is None


def test_each_job_s_steps_have_names() -> None:
    from orchestration.definitions import defs

    named = {defs.resolve_job_def(job).nodes[0].name for _, _, job in BY.values()}
    assert named <= set(STEPS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--by day needs --from"),
        (["--by", "month", "--type", "MISSING"], "--type is for --by type"),
        (["--by", "type", "--from", "2024-01-01"], "--from and --to are for"),
        (["--from", "soon"], "does not match the formats"),
    ],
)
def test_what_does_not_go_together_is_refused(own_settings: None, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(backfill, arguments)
    assert result.exit_code == 2
    assert message in result.output


def shown(run: Any, *arguments: Any) -> tuple[bool, str]:
    buffer = io.StringIO()
    succeeded = run(Console(file=buffer, width=120), *arguments)
    return succeeded, re.sub(r"\x1b\[[0-9;]*m", "", buffer.getvalue())


@pytest.fixture
def registry(own_settings: None, monkeypatch: pytest.MonkeyPatch, filled_warehouse_url: str, tmp_path: Path) -> Any:
    studies = [make_study(n, f"2024-05-{n:02}", posted=f"2020-{n:02}-15") for n in range(1, 8)]
    with Registry(studies) as server:
        for name, value in {
            "CTGOV_API_URL": server.url,
            "DATABASE_URL": filled_warehouse_url,
            "DAGSTER_DATABASE_URL": filled_warehouse_url,
        }.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        before = dict(os.environ)
        yield server
        # The commands tell the processes that they start where everything is.
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.integration
def test_a_backfill_is_a_recorded_run_with_progress(
    registry: Registry, filled_warehouse_url: str, tmp_path: Path
) -> None:
    keys = windows("day", date(2024, 5, 2), date(2024, 5, 4), ())
    succeeded, text = shown(show_backfill, "day", keys, tmp_path / "log")
    assert succeeded, text
    assert "3 windows of update_day: 2024-05-02 to 2024-05-04" in text
    assert re.search(r"\d of 3 studies", text)
    assert "3 new, 0 changed" in text
    recorded = query(filled_warehouse_url, "select status, pipeline_name from runs")
    assert recorded == [("SUCCESS", "backfill_update_days")]
    partitions = (
        "select distinct partition from event_logs where asset_key like %s and partition is not null order by 1"
    )
    told = query(filled_warehouse_url, partitions, ("%studies_by_update_day%",))
    assert told == [(key,) for key in keys or []]


@pytest.mark.integration
def test_a_backfill_that_fails_says_why(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.assets import backfills

    def refused(*_: Any, **__: Any) -> None:
        raise ValueError("the registry is closed")

    monkeypatch.setattr(backfills, "WindowLoad", refused)
    monkeypatch.setattr("dagster.RetryPolicy.calculate_delay", lambda *_: 0)
    succeeded, text = shown(show_backfill, "type", ["MISSING"], tmp_path / "log")
    assert not succeeded
    assert "windows failed: the registry is closed" in text


@pytest.mark.integration
def test_a_comparison_is_modelled_in_its_run(registry: Registry, filled_warehouse_url: str, tmp_path: Path) -> None:
    succeeded, text = shown(show_reconcile, 0.1, tmp_path / "log")
    assert "held back" in text, text
    assert "nothing is marked as gone" in text
    assert "What the comparison found\n" in text
    assert re.search(r"^ *loaded +7 *$", text, re.MULTILINE), text
    lines = [line.split() for line in text.splitlines()]
    assert ["staging", "done"] in lines
    assert [line for line in lines if len(line) == 1 and line[0] in STEPS.values()] == []
    assert query(filled_warehouse_url, "select count(*) from ctgov.studies where nct_id < 'NCT9'") == [(7,)]
    assert succeeded
