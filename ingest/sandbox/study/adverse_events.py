"""`resultsSection.adverseEventsModule`: serious and other events by group. Most of a large record's bytes."""

from typing import Any

from ingest.sandbox.draws import Draw
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.results import groups, shares
from ingest.sandbox.vocabulary import adverse_events as known_events

Module = dict[str, Any]
_VOCABULARIES = ("MedDRA (12.0)", "MedDRA 18.1", "MedDRA 20.0", "MedDRA 23.0", "MedDRA 26.1", "CTCAE (4.0)")


def adverse_events(facts: Facts, draw: Draw) -> Module:
    listed = groups(facts, draw, "EG", draw.spread(200, 0.8))
    sizes = shares(draw, facts.enrollment, len(listed))
    head = _head(draw)
    serious = draw.count(5 * facts.richness**1.2, 1.6, 1700) if draw.chance(0.72) else 0
    other = 1 + draw.count(20 * facts.richness**1.1, 0.9, 1600) if draw.chance(0.81) else 0
    module: Module = {"frequencyThreshold": draw.pick(("0", "5", "5", "2", "3"))}
    if draw.chance(0.81):
        module["timeFrame"] = "From first dose to 30 days after the last dose"
    if draw.chance(0.48):
        module["description"] = (
            "All participants who received at least one dose were included in the safety population."
        )
    module["eventGroups"] = [_totals(draw, group, size) for group, size in zip(listed, sizes, strict=True)]
    at_risk = [(group["id"], size) for group, size in zip(listed, sizes, strict=True)]
    if serious:
        module["seriousEvents"] = _events(draw, serious, head, at_risk, 0.02)
    if other:
        module["otherEvents"] = _events(draw, other, head, at_risk, 0.2)
    return module


def _head(draw: Draw) -> Module:
    head: Module = {}
    if draw.chance(0.72):
        head["sourceVocabulary"] = draw.pick(_VOCABULARIES)
    if draw.chance(0.96):
        head["assessmentType"] = draw.pick(
            ("SYSTEMATIC_ASSESSMENT", "SYSTEMATIC_ASSESSMENT", "NON_SYSTEMATIC_ASSESSMENT")
        )
    return head


def _events(draw: Draw, count: int, head: Module, at_risk: list[tuple[str, int]], most: float) -> list[Module]:
    known = known_events()
    start = draw.whole(0, len(known) - 1)
    return [_event(draw, start + k, k // len(known), head, at_risk, most) for k in range(count)]


def _event(draw: Draw, position: int, grade: int, head: Module, at_risk: list[tuple[str, int]], most: float) -> Module:
    # 37 and the number of terms have no common divisor: a term returns only after all others, as another grade of it.
    known = known_events()
    term, system = known[position * 37 % len(known)]
    stats = []
    for group, size in at_risk:
        affected = int(size * most * draw.unit())
        stats.append(
            {"groupId": group, "numEvents": affected + affected // 3, "numAffected": affected, "numAtRisk": size}
        )
    return {"term": f"{term} (grade {grade})" if grade else term, "organSystem": system, **head, "stats": stats}


def _totals(draw: Draw, group: Module, size: int) -> Module:
    serious, other = int(size * 0.3 * draw.unit()), int(size * draw.unit())
    totals: Module = {
        **group,
        "seriousNumAffected": serious,
        "seriousNumAtRisk": size,
        "otherNumAffected": other,
        "otherNumAtRisk": size,
    }
    return totals if draw.chance(0.36) else {**totals, "deathsNumAffected": serious // 4, "deathsNumAtRisk": size}
