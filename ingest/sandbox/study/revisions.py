"""What an update changes in a study: its status moves on, dates become actual, enrollment counts, results come."""

from collections.abc import Callable

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.study.facts import Facts, stop

_NEXT = {
    "NOT_YET_RECRUITING": Weighted([("RECRUITING", 0.65), ("NOT_YET_RECRUITING", 0.28), ("WITHDRAWN", 0.07)]),
    "RECRUITING": Weighted(
        [
            ("RECRUITING", 0.68),
            ("ACTIVE_NOT_RECRUITING", 0.14),
            ("COMPLETED", 0.11),
            ("TERMINATED", 0.05),
            ("SUSPENDED", 0.01),
            ("WITHDRAWN", 0.01),
        ]
    ),
    "ENROLLING_BY_INVITATION": Weighted(
        [("ENROLLING_BY_INVITATION", 0.7), ("ACTIVE_NOT_RECRUITING", 0.1), ("COMPLETED", 0.17), ("TERMINATED", 0.03)]
    ),
    "ACTIVE_NOT_RECRUITING": Weighted([("ACTIVE_NOT_RECRUITING", 0.66), ("COMPLETED", 0.3), ("TERMINATED", 0.04)]),
    "SUSPENDED": Weighted([("SUSPENDED", 0.3), ("RECRUITING", 0.4), ("TERMINATED", 0.25), ("WITHDRAWN", 0.05)]),
    "UNKNOWN": Weighted([("COMPLETED", 0.7), ("RECRUITING", 0.15), ("TERMINATED", 0.12), ("WITHDRAWN", 0.03)]),
}


def revise(facts: Facts, day: int, draw: Draw) -> None:
    """Update a study on an ordinal day, in place. The day of the update always changes, and something with it."""
    facts.updated = day
    facts.revision += 1
    before = facts.status
    if before in _NEXT:
        facts.status = draw.weighted(_NEXT[before])
    if facts.status != before:
        facts.last_known_status = None
        _ON_ENTERING.get(facts.status, _nothing)(facts, day, draw)
    elif facts.is_open:
        _carry_on(facts, day, draw)
    else:
        _complete_record(facts, day, draw)


def _nothing(facts: Facts, day: int, draw: Draw) -> None:
    """A status that changes nothing but itself."""


def _begin(facts: Facts, day: int, draw: Draw) -> None:
    if facts.start is None or facts.start > day:
        facts.start = day - draw.whole(1, 25)
    facts.stop_reason = None
    _postpone(facts, day, draw)


def _postpone(facts: Facts, day: int, draw: Draw) -> None:
    """Completion dates that have passed while the study is open move into the future."""
    if facts.primary_completion is None or facts.primary_completion <= day:
        facts.primary_completion = day + draw.whole(60, 700)
    if facts.completion is None or facts.completion < facts.primary_completion:
        facts.completion = facts.primary_completion + draw.whole(0, 300)


def _finish(facts: Facts, day: int, draw: Draw) -> None:
    facts.completion = min(facts.completion or day, day - draw.whole(3, 40))
    facts.primary_completion = min(facts.primary_completion or day, facts.completion)
    facts.start = min(facts.start or day, facts.primary_completion)
    facts.enrollment = max(1, int(facts.enrollment * (0.6 + 0.55 * draw.unit())))


def _halt(facts: Facts, day: int, draw: Draw) -> None:
    if facts.status == "TERMINATED":
        _finish(facts, day, draw)
    elif facts.status == "WITHDRAWN":
        facts.start = max(facts.start or day, day - 200)
        facts.primary_completion = facts.completion = max(facts.start, day)
    facts.stop_reason = None
    stop(facts, draw)


def _carry_on(facts: Facts, day: int, draw: Draw) -> None:
    """An open study says something new: later dates, another target, more or fewer sites."""
    _postpone(facts, day, draw)
    roll = draw.unit()
    if roll < 0.25:
        facts.enrollment = max(facts.enrollment + 1, int(facts.enrollment * (1.05 + 0.3 * draw.unit())))
    elif roll < 0.5:
        facts.sites += draw.whole(1, 3)
    elif roll < 0.6 and facts.completion is not None:
        facts.completion += draw.whole(30, 365)
    if facts.status == "NOT_YET_RECRUITING" and (facts.start or 0) <= day:
        facts.start = day + draw.whole(10, 90)


def _complete_record(facts: Facts, day: int, draw: Draw) -> None:
    """An ended study posts its results, or corrects its enrollment; what else changes follows from `revision`."""
    interventional = facts.study_type == "INTERVENTIONAL" and facts.status in ("COMPLETED", "TERMINATED")
    if interventional and facts.results_posted is None and facts.enrollment > 0 and draw.chance(0.35):
        facts.results_posted = day
    elif facts.status != "WITHDRAWN" and draw.chance(0.3):
        facts.enrollment += draw.whole(1, 5)


_ON_ENTERING: dict[str, Callable[[Facts, int, Draw], None]] = {
    "RECRUITING": _begin,
    "COMPLETED": _finish,
    "TERMINATED": _halt,
    "WITHDRAWN": _halt,
    "SUSPENDED": _halt,
}
