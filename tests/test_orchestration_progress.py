"""Progress reports: what they say, and how seldom they reach the log."""

import logging

import pytest

from orchestration import progress
from orchestration.progress import Progress, Reporter


def test_says_rate_and_time_left() -> None:
    assert str(Progress("a", 50, 200, "texts", 10.0)) == "50 of 200 texts, 5.0/s, 30 s left"


def test_without_a_total_there_is_no_time_left() -> None:
    report = Progress("a", 1_500, None, "studies", 2.0)
    assert report.seconds_left is None
    assert str(report) == "1,500 studies, 750.0/s"


def test_nothing_done_yet_has_no_rate() -> None:
    assert Progress("a", 0, 10, "texts", 0.0).seconds_left is None


def test_what_came_for_nothing_does_not_count_into_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Progress] = []
    monkeypatch.setattr(progress, "_watchers", [heard.append])
    clock = iter([0.0, 1.0, 11.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    report = Reporter(logging.getLogger("run"), "a", "texts", after_first=True)  # type: ignore[arg-type]
    report(100, 140)
    report(120, 140)
    assert [str(r) for r in heard] == ["100 of 140 texts", "120 of 140 texts, 2.0/s, 10 s left"]


def test_watchers_hear_all_and_the_log_little(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Progress] = []
    monkeypatch.setattr(progress, "_watchers", [heard.append])
    clock = iter([0.0, 1.0, 14.0, 16.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    log = logging.getLogger("run")
    report = Reporter(log, "raw_ctgov/studies", "studies")  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "run"):
        for done in (1, 2, 3, 4):
            report(done, 10)
    assert [r.done for r in heard] == [1, 2, 3, 4]
    assert [r.message.split(":")[0] for r in caplog.records] == ["raw_ctgov/studies"]
