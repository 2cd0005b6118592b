"""The modules of `protocolSection` on what is done to whom: description, conditions, arms, outcomes, eligibility."""

from typing import Any

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.words import filled, text
from ingest.sandbox.vocabulary import phrases

Module = dict[str, Any]
_PARTS = ("part A", "cohort 2", "per protocol", "at follow-up", "subgroup ≥ 65 years")
_AGES = Weighted(
    [
        ("18 Years", 0.78),
        ("20 Years", 0.04),
        ("19 Years", 0.02),
        ("12 Years", 0.03),
        ("16 Years", 0.02),
        ("6 Months", 0.01),
        ("1 Day", 0.004),
        ("2 Years", 0.015),
        ("40 Years", 0.02),
        ("50 Years", 0.02),
        ("65 Years", 0.02),
        ("0 Days", 0.005),
        ("30 Minutes", 0.001),
        ("6 Weeks", 0.005),
        ("1 Year", 0.01),
    ]
)
_OLDEST = Weighted(
    [
        ("65 Years", 0.2),
        ("75 Years", 0.2),
        ("80 Years", 0.2),
        ("85 Years", 0.1),
        ("99 Years", 0.05),
        ("70 Years", 0.12),
        ("60 Years", 0.06),
        ("17 Years", 0.04),
        ("18 Years", 0.01),
        ("24 Months", 0.01),
        ("120 Years", 0.01),
    ]
)


def description(facts: Facts, draw: Draw) -> Module:
    module = {"briefSummary": text(draw, facts.sentences("summary"), facts.verbosity * draw.spread(430, 0.8))}
    if draw.chance(0.665):
        module["detailedDescription"] = text(
            draw, facts.sentences("detail"), min(30_000, facts.verbosity * draw.spread(1250, 0.95)), "\n\n"
        )
    return module


def conditions(facts: Facts, draw: Draw) -> Module:
    module: Module = {"conditions": facts.conditions}
    if draw.chance(0.65):
        own = [facts.words["c"].lower(), facts.words["d"], facts.area.replace("_", " ")]
        module["keywords"] = own[: draw.whole(0, 3)] + draw.some(
            phrases("keyword"), 1 + draw.count(2, 0.8, 24) + facts.revision % 2
        )
    return module


def arms_interventions(facts: Facts, draw: Draw) -> Module:
    module: Module = {}
    labelled = [f"{_readable(item.kind)}: {item.name}" for item in facts.interventions]
    arms = []
    for arm in facts.arms:
        entry: Module = {"label": arm.label}
        if arm.kind:
            entry["type"] = arm.kind
        if draw.chance(0.87):
            entry["description"] = text(draw, facts.sentences("intervention"), draw.spread(90, 1.0))
        if arm.members:
            entry["interventionNames"] = [labelled[k] for k in arm.members]
        arms.append(entry)
    if arms:
        module["armGroups"] = arms
    interventions = [_intervention(facts, k, draw) for k in range(len(facts.interventions))]
    if interventions:
        module["interventions"] = interventions
    return module


def _intervention(facts: Facts, position: int, draw: Draw) -> Module:
    item = facts.interventions[position]
    entry: Module = {"type": item.kind, "name": item.name}
    if draw.chance(0.94):
        entry["description"] = text(
            draw, filled(phrases("intervention"), {**facts.words, "d": item.name}), draw.spread(85, 1.05)
        )[:1000]
    labels = [arm.label for arm in facts.arms if position in arm.members]
    if labels:
        entry["armGroupLabels"] = labels
    if item.other_names and draw.chance(0.7):
        entry["otherNames"] = list(item.other_names)
    return entry


def _readable(kind: str) -> str:
    return kind.replace("_", " ").capitalize() if "_" not in kind else kind.replace("_", " ").title()


def outcomes(facts: Facts, draw: Draw) -> Module:
    if facts.study_type == "EXPANDED_ACCESS":
        return {}
    many = 1.3 if facts.lead.agency_class == "INDUSTRY" else 0.8
    module = {"primaryOutcomes": [_outcome(facts, draw) for _ in range(1 + draw.count(0.55 * many, 1.4, 90))]}
    secondary = (
        draw.count(facts.verbosity * (4.6 if facts.study_type == "INTERVENTIONAL" else 2) * many, 1.0, 200)
        if draw.chance(0.86)
        else 0
    )
    if secondary:
        module["secondaryOutcomes"] = [_outcome(facts, draw) for _ in range(secondary)]
    if draw.chance(0.13):
        module["otherOutcomes"] = [_outcome(facts, draw) for _ in range(1 + draw.count(3.5, 1.1, 100))]
    return module


def _outcome(facts: Facts, draw: Draw) -> Module:
    entry = {"measure": draw.pick(phrases("measure")) % facts.words}
    if draw.chance(0.2):
        entry["measure"] += f", {draw.pick(_PARTS)}"
    if draw.chance(0.8):
        entry["description"] = text(draw, facts.sentences("outcome"), facts.verbosity * draw.spread(100, 0.9))
    if draw.chance(0.985):
        entry["timeFrame"] = draw.pick(phrases("time frame"))
    return entry


def eligibility(facts: Facts, draw: Draw) -> Module:
    module: Module = {"eligibilityCriteria": _criteria(facts, draw)}
    if draw.chance(0.984):
        module["healthyVolunteers"] = draw.chance(0.7 if facts.conditions[0].startswith("Healthy") else 0.12)
    module["sex"] = "ALL" if draw.chance(0.87) else draw.pick(("MALE", "FEMALE"))
    if module["sex"] != "ALL" and draw.chance(0.22):
        module["genderBased"] = True
    youngest, oldest = draw.weighted(_AGES), draw.weighted(_OLDEST)
    if draw.chance(0.958):
        module["minimumAge"] = youngest
    if draw.chance(0.541) and _years(oldest) > _years(youngest):
        module["maximumAge"] = oldest
    module["stdAges"] = _standard_ages(
        _years(module.get("minimumAge", "0 Years")), _years(module.get("maximumAge", "999 Years"))
    )
    if facts.study_type == "OBSERVATIONAL":
        module["studyPopulation"] = f"Patients with {facts.words['c']} seen at the participating clinics"
        module["samplingMethod"] = draw.pick(("NON_PROBABILITY_SAMPLE", "NON_PROBABILITY_SAMPLE", "PROBABILITY_SAMPLE"))
    return module


def _criteria(facts: Facts, draw: Draw) -> str:
    length = facts.verbosity * draw.spread(1020, 0.95)
    mark = "* " if draw.chance(0.74) else "1. "
    joint = "\n" + mark
    included = text(draw, facts.sentences("inclusion"), length * 0.45, joint)
    excluded = text(draw, facts.sentences("exclusion"), length * 0.5, joint)
    if mark == "1. ":
        included, excluded = _numbered(included), _numbered(excluded)
    if draw.chance(0.02):
        return f"{mark}{included}"
    return f"Inclusion Criteria:\n\n{mark}{included}\n\nExclusion Criteria:\n\n{mark}{excluded}"


def _numbered(items: str) -> str:
    lines = items.split("\n1. ")
    return "\n".join([lines[0], *(f"{k}. {line}" for k, line in enumerate(lines[1:], 2))])


def _years(age: str) -> float:
    number, unit = age.split(" ")
    return float(number) / {"Y": 1, "M": 12, "W": 52, "D": 365}.get("D" if unit.startswith("Minute") else unit[0], 1)


def _standard_ages(youngest: float, oldest: float) -> list[str]:
    groups = (("CHILD", 0, 18), ("ADULT", 18, 65), ("OLDER_ADULT", 65, 1000))
    return [name for name, low, high in groups if youngest < high and oldest >= low]
