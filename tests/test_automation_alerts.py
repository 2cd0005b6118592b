"""What an alert says and when it is sent."""

from datetime import datetime, timedelta, timezone

import pytest

from orchestration.automation.alerts import Decision, Findings, Open, Problem, decide, messages, one_line
from orchestration.automation.targets import _without_secrets, targets
from orchestration.settings import ConfigurationError, Settings

NOW = datetime(2026, 6, 1, 7, tzinfo=timezone.utc)
DAY = timedelta(days=1)
DOWN = Problem("raw_ctgov/studies", "no usable answer from the registry")


def known(problem: Problem, ago: timedelta = timedelta(hours=3)) -> dict[str, Open]:
    return {problem.topic: Open(problem.fingerprint, NOW - ago)}


def test_a_new_problem_is_told_and_a_known_one_is_not() -> None:
    assert decide({}, Findings([DOWN]), NOW, DAY) == Decision([DOWN], [])
    assert decide(known(DOWN), Findings([DOWN]), NOW, DAY) == Decision()


def test_it_is_told_again_after_a_day_or_for_another_reason() -> None:
    assert decide(known(DOWN, DAY), Findings([DOWN]), NOW, DAY).alerts == [DOWN]
    other = Problem(DOWN.topic, "the disk is full")
    assert decide(known(DOWN), Findings([other]), NOW, DAY).alerts == [other]


def test_another_count_or_run_is_no_other_reason() -> None:
    before = Problem("check", "1,203 rows failed in run 3f2a9c10-aaaa-bbbb")
    after = Problem("check", "7 rows failed in run 99999999-0000-1111")
    assert decide(known(before), Findings([after]), NOW, DAY) == Decision()


def test_a_recovery_is_told_once_and_only_of_what_was_told() -> None:
    healthy = Findings(healthy={DOWN.topic, "something/else"})
    assert decide(known(DOWN), healthy, NOW, DAY) == Decision([], [DOWN.topic])
    assert decide({}, healthy, NOW, DAY) == Decision()


def test_what_failed_in_the_end_has_not_recovered() -> None:
    assert decide(known(DOWN), Findings([DOWN], {DOWN.topic}), NOW, DAY) == Decision()


def test_a_hundred_problems_are_one_message_with_ten_lines() -> None:
    many = [Problem(f"check {n}", "rows failed") for n in range(100)]
    ((message, told),) = messages(Decision(many), "run 12345678", "http://host/runs/1")
    lines = message.body.splitlines()
    assert lines[:2] == ["check 0: rows failed", "check 1: rows failed"]
    assert lines[10:] == ["and 90 more", "run 12345678: http://host/runs/1"]
    assert message.title == "bioloupe: failed: check 0 and 99 more"
    assert told.alerts == many


def test_a_stack_of_lines_becomes_one() -> None:
    assert one_line("a\n  b\n") == "a b"
    assert len(one_line("x" * 5000)) == 300


def configured(urls: str) -> Settings:
    return Settings(BIOLOUPE_ALERT_URLS=urls, _env_file=None)  # type: ignore[call-arg]


def test_targets_are_named_without_their_secrets() -> None:
    found = targets(configured("json://u:secret@host/path, mailtos://u:secret@example.org slack://T1JJ3T3L2/A1BRTD4JD/TI"
                               "iajkdnlazkcOXrIdevi7FQ/"))  # fmt: skip
    assert [target.name for target in found] == ["1 (JSON)", "2 (E-Mail)", "3 (Slack)"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize("urls", ["nothing of the kind", "nosuch://user:top-secret@host"])
def test_what_is_no_target_is_refused_without_showing_it(urls: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigurationError, match="BIOLOUPE_ALERT_URLS") as refused:
        targets(configured(urls))
    assert "top-secret" not in str(refused.value) + caplog.text


def test_an_error_is_shown_without_the_parts_of_the_url() -> None:
    text = "no answer from http://user:hunter2@example.org/hook/abc"
    assert _without_secrets(text, "json://user:hunter2@example.org/hook/abc") == "no answer from http://…:…@…/…/…"
