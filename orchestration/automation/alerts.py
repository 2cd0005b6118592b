"""What an alert says and when it is sent, without Dagster: the sensors and `bioloupe refresh` both decide here.

A problem has a topic (an asset, a check, a run) and a reason in one line. It is told once, again when its reason
changes or after `repeat` has passed, and its recovery once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LONGEST_REASON = 300
LONGEST_TOPIC = 100
MOST_LINES = 10


@dataclass(frozen=True)
class Problem:
    """Something that does not work: `topic` says what, `reason` why, in one line."""

    topic: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason))

    @property
    def fingerprint(self) -> str:
        """The reason without what differs from night to night (counts, run ids), which makes it no other reason."""
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}|\d[\d,.]*", "#", self.reason)


@dataclass
class Findings:
    """What one run, or one look at the data, has shown. `healthy`: topics that were seen to work."""

    problems: list[Problem] = field(default_factory=list)
    healthy: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Open:
    """A problem that was told and has not been seen to work since."""

    fingerprint: str
    told_at: datetime


@dataclass(frozen=True)
class Decision:
    """What to tell now."""

    alerts: list[Problem] = field(default_factory=list)
    recoveries: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Message:
    """One message to all targets. `recovered` decides its colour where a service has colours."""

    title: str
    body: str
    recovered: bool


def decide(known: Mapping[str, Open], findings: Findings, now: datetime, repeat: timedelta) -> Decision:
    """Compare with what was told before. `known` is by topic; what a run shows both ways is a problem."""
    latest = {problem.topic: problem for problem in findings.problems}

    def is_news(problem: Problem) -> bool:
        before = known.get(problem.topic)
        return before is None or before.fingerprint != problem.fingerprint or now - before.told_at >= repeat

    alerts = [problem for problem in latest.values() if is_news(problem)]
    return Decision(alerts, sorted(findings.healthy & known.keys() - latest.keys()))


def messages(decision: Decision, about: str, link: str) -> list[tuple[Message, Decision]]:
    """At most two messages, each with what it tells. `about` names the run or the look, `link` leads to it."""
    found = []
    if decision.alerts:
        lines = [f"{shortened(problem.topic)}: {problem.reason}" for problem in decision.alerts]
        title = _title("failed", decision.alerts[0].topic, len(lines))
        found.append((Message(title, _body(lines, about, link), False), Decision(alerts=decision.alerts)))
    if decision.recoveries:
        lines = [shortened(topic) for topic in decision.recoveries]
        title = _title("works again", lines[0], len(lines))
        found.append((Message(title, _body(lines, about, link), True), Decision(recoveries=decision.recoveries)))
    return found


def one_line(text: str) -> str:
    """The text without line breaks, cut at `LONGEST_REASON` characters."""
    return shortened(" ".join(text.split()), LONGEST_REASON)


def shortened(text: str, longest: int = LONGEST_TOPIC) -> str:
    """The text, or its beginning: dbt names a test after all of its arguments."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _title(what: str, first: str, count: int) -> str:
    more = f" and {count - 1} more" if count > 1 else ""
    return f"bioloupe: {what}: {shortened(first)}{more}"


def _body(lines: list[str], about: str, link: str) -> str:
    shown, rest = lines[:MOST_LINES], len(lines) - MOST_LINES
    return "\n".join([*shown, *([f"and {rest} more"] if rest > 0 else []), f"{about}: {link}"])
