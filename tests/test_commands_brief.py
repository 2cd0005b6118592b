"""`bioloupe brief`: where the newest page is, and what is said where there is none or none can be drawn."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration.cli import bioloupe
from orchestration.reports import node, pages

pytestmark = pytest.mark.usefixtures("own_settings")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(bioloupe, ["brief", *arguments])


def test_without_a_page_it_says_what_makes_one() -> None:
    result = call()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bioloupe brief --draw" in result.stderr


def test_the_newest_page_is_printed_and_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    page = pages.page("brief", "2026-06-01")
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html>")
    latest = pages.publish(page)
    result = call("--open")
    assert (result.exit_code, result.stdout) == (0, f"{latest}\n")
    assert opened == [latest.as_uri()]


def test_what_cannot_be_drawn_is_one_line_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "RENDERER", tmp_path)
    result = call("--draw")
    assert result.exit_code == 1
    assert result.stderr.startswith("not drawn: ")
    assert result.stderr.count("\n") == 1


def test_the_job_asks_for_the_brief_s_tables_and_nothing_else() -> None:
    from orchestration.definitions import defs

    job = defs.resolve_job_def("draw_brief")
    assert {node.name for node in job.nodes} == {"brief_tables", "reports__brief"}
