"""`resultsSection`: participant flow, baseline, outcome measures with analyses, and the point of contact.

Values are text, as in the registry: numbers with and without decimals, `NA`, `<0.001`, `1,234`.
"""

from typing import Any

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.organizations import email, person, phone
from ingest.sandbox.study.words import text
from ingest.sandbox.vocabulary import phrases

Module = dict[str, Any]
_RACES = (
    "American Indian or Alaska Native",
    "Asian",
    "Native Hawaiian or Other Pacific Islander",
    "Black or African American",
    "White",
    "More than one race",
    "Unknown or Not Reported",
)
_PARAM = Weighted(
    [
        ("MEAN", 0.4),
        ("NUMBER", 0.19),
        ("COUNT_OF_PARTICIPANTS", 0.17),
        ("LEAST_SQUARES_MEAN", 0.08),
        ("MEDIAN", 0.07),
        ("GEOMETRIC_MEAN", 0.05),
        ("", 0.04),
    ]
)
_DISPERSION = {
    "MEAN": "Standard Deviation",
    "LEAST_SQUARES_MEAN": "Standard Error",
    "MEDIAN": "Full Range",
    "GEOMETRIC_MEAN": "Geometric Coefficient of Variation",
}
_CLASSES = Weighted([(1, 0.52), (2, 0.13), (3, 0.11), (4, 0.09), (6, 0.07), (9, 0.04), (14, 0.025), (30, 0.012)])


def groups(facts: Facts, draw: Draw, prefix: str, length: float) -> list[Module]:
    """The groups that a results module compares; their ids (`OG000`) start again in every measure."""
    titles = [arm.label for arm in facts.arms] or ["All participants"]
    sentences = facts.sentences("intervention")
    return [
        {"id": f"{prefix}{k:03d}", "title": title, "description": text(draw, sentences, length)}
        for k, title in enumerate(titles)
    ]


def shares(draw: Draw, total: int, parts: int) -> list[int]:
    """`total` people in `parts` groups of about equal size."""
    sizes = [total // parts] * parts
    for k in range(total % parts):
        sizes[k] += 1
    if parts > 1 and sizes[0] > 4:
        moved = draw.whole(0, sizes[0] // 8)
        sizes[0], sizes[-1] = sizes[0] - moved, sizes[-1] + moved
    return sizes


def participant_flow(facts: Facts, draw: Draw) -> Module:
    listed = groups(facts, draw, "FG", draw.spread(190, 0.8))
    sizes = shares(draw, facts.enrollment, len(listed))
    module: Module = {}
    if draw.chance(0.43):
        module["preAssignmentDetails"] = text(draw, facts.sentences("detail"), draw.spread(160, 0.6))
    if draw.chance(0.44):
        module["recruitmentDetails"] = (
            f"Participants were recruited at {facts.sites} sites from {facts.words['n']} countries."
        )
    titles = ["Overall Study"] if draw.chance(0.84) else [f"Period {k + 1}" for k in range(draw.whole(2, 5))]
    return {**module, "groups": listed, "periods": [_period(draw, title, listed, sizes) for title in titles]}


def _period(draw: Draw, title: str, listed: list[Module], sizes: list[int]) -> Module:
    lost = [int(size * 0.3 * draw.unit()) for size in sizes]
    ids = [group["id"] for group in listed]
    rows = (
        ("STARTED", sizes),
        ("COMPLETED", [s - x for s, x in zip(sizes, lost, strict=True)]),
        ("NOT COMPLETED", lost),
    )
    period: Module = {
        "title": title,
        "milestones": [{"type": kind, "achievements": _people(ids, counts)} for kind, counts in rows],
    }
    if any(lost):
        reasons = []
        left = list(lost)
        for kind in draw.some(phrases("dropout reason"), draw.whole(1, 4)):
            taken = [draw.whole(0, x) for x in left]
            left = [x - t for x, t in zip(left, taken, strict=True)]
            reasons.append({"type": kind, "reasons": _people(ids, taken)})
        period["dropWithdraws"] = [*reasons, {"type": "Other", "reasons": _people(ids, left)}]
    return period


def _people(ids: list[str], counts: list[int]) -> list[Module]:
    return [{"groupId": group, "numSubjects": str(count)} for group, count in zip(ids, counts, strict=True)]


def baseline(facts: Facts, draw: Draw) -> Module:
    listed = groups(facts, draw, "BG", draw.spread(190, 0.8))
    sizes = shares(draw, facts.enrollment, len(listed))
    if len(listed) > 1:
        listed.append({"id": f"BG{len(listed):03d}", "title": "Total", "description": "Total of all reporting groups"})
        sizes.append(sum(sizes))
    ids = [group["id"] for group in listed]
    counts = [{"groupId": group, "value": str(size)} for group, size in zip(ids, sizes, strict=True)]
    measures = [_age(draw, ids), _counted(draw, "Sex: Female, Male", ("Female", "Male"), ids, sizes)]
    if draw.chance(0.6):
        measures.append(_counted(draw, "Race (NIH/OMB)", _RACES, ids, sizes))
    if draw.chance(0.6):
        measures.append(_regions(draw, ids, sizes))
    measures += [_continuous(facts, draw, ids) for _ in range(draw.count(0.9, 1.3, 60))]
    return {"groups": listed, "denoms": [{"units": "Participants", "counts": counts}], "measures": measures}


def _age(draw: Draw, ids: list[str]) -> Module:
    mean = draw.whole(8, 72)
    values = [
        {"groupId": group, "value": f"{mean + 3 * draw.normal():.1f}", "spread": f"{5 + 10 * draw.unit():.1f}"}
        for group in ids
    ]
    return {
        "title": "Age, Continuous",
        "paramType": "MEAN",
        "dispersionType": "STANDARD_DEVIATION",
        "unitOfMeasure": "years",
        "classes": [{"categories": [{"measurements": values}]}],
    }


def _counted(draw: Draw, title: str, names: tuple[str, ...], ids: list[str], sizes: list[int]) -> Module:
    left, categories = list(sizes), []
    for k, name in enumerate(names):
        last = k == len(names) - 1
        taken = left if last else [int(x * 0.55 * draw.unit()) for x in left]
        left = [x - t for x, t in zip(left, taken, strict=True)]
        values = [{"groupId": group, "value": f"{t:,}"} for group, t in zip(ids, taken, strict=True)]
        categories.append({"title": name, "measurements": values})
    return {
        "title": title,
        "paramType": "COUNT_OF_PARTICIPANTS",
        "unitOfMeasure": "Participants",
        "classes": [{"categories": categories}],
    }


def _regions(draw: Draw, ids: list[str], sizes: list[int]) -> Module:
    names = draw.some(("United States", "Germany", "Japan", "Canada", "France", "Poland", "Brazil"), draw.whole(1, 4))
    classes = [
        {
            "title": name,
            "categories": [
                {
                    "measurements": [
                        {"groupId": group, "value": str(size // len(names))}
                        for group, size in zip(ids, sizes, strict=True)
                    ]
                }
            ],
        }
        for name in names
    ]
    return {"title": "Region of Enrollment", "paramType": "NUMBER", "unitOfMeasure": "participants", "classes": classes}


def _continuous(facts: Facts, draw: Draw, ids: list[str]) -> Module:
    scale = draw.spread(40, 1.2)
    return {
        "title": draw.pick(phrases("measure")) % facts.words,
        "description": text(draw, facts.sentences("outcome"), 60),
        "paramType": "MEAN",
        "dispersionType": "STANDARD_DEVIATION",
        "unitOfMeasure": draw.pick(phrases("unit")),
        "classes": [{"categories": [{"measurements": [_measurement(draw, group, "MEAN", scale) for group in ids]}]}],
    }


def outcome_measures(facts: Facts, draw: Draw) -> Module:
    primary, count = 1 + draw.count(0.6, 1.0, 12), draw.count(11 * facts.richness**0.9, 0.5, 330)
    length = min(900.0, draw.spread(170, 0.9))
    listed = groups(facts, draw, "OG", length)
    sizes = shares(draw, facts.enrollment, len(listed))
    kinds = ["PRIMARY"] * primary + ["SECONDARY"] * count
    return {"outcomeMeasures": [_measure(facts, draw, kind, listed, sizes) for kind in kinds]}


def _measure(facts: Facts, draw: Draw, kind: str, listed: list[Module], sizes: list[int]) -> Module:
    param = draw.weighted(_PARAM)
    ids = [group["id"] for group in listed]
    measure: Module = {
        "type": kind,
        "title": draw.pick(phrases("measure")) % facts.words,
        "description": text(draw, facts.sentences("outcome"), draw.spread(170, 0.8)),
    }
    if draw.chance(0.85):
        measure["populationDescription"] = text(draw, facts.sentences("detail"), draw.spread(60, 0.9))
    if not param:
        return {
            **measure,
            "reportingStatus": "NOT_POSTED",
            "anticipatedPostingDate": "2027-12",
            "timeFrame": draw.pick(phrases("time frame")),
        }
    measure |= {"reportingStatus": "POSTED", "paramType": param}
    if param in _DISPERSION:
        measure["dispersionType"] = _DISPERSION[param]
    counts = [{"groupId": group, "value": str(size)} for group, size in zip(ids, sizes, strict=True)]
    measure |= {
        "unitOfMeasure": draw.pick(phrases("unit")),
        "timeFrame": draw.pick(phrases("time frame")),
        "groups": listed,
        "denoms": [{"units": "Participants", "counts": counts}],
    }
    scale, many = draw.spread(30, 1.3), draw.weighted(_CLASSES)
    classes: list[Module] = [
        {"categories": [{"measurements": [_measurement(draw, g, param, scale) for g in ids]}]} for _ in range(many)
    ]
    if many > 1:
        for k, entry in enumerate(classes):
            entry["title"] = f"Week {4 * k}" if k else "Baseline"
    measure["classes"] = classes
    if len(ids) > 1 and draw.chance(0.3):
        measure["analyses"] = [_analysis(draw, ids) for _ in range(1 + draw.count(0.6, 1.0, 20))]
    return measure


def _measurement(draw: Draw, group: str, param: str, scale: float) -> Module:
    roll = draw.unit()
    if roll < 0.014:
        return {"groupId": group, "value": "NA", "comment": "Not estimable: too few participants with the event"}
    if param in ("COUNT_OF_PARTICIPANTS", "NUMBER"):
        return {"groupId": group, "value": f"{int(scale * 2 * roll)}"}
    value = f"{scale * (roll - 0.1):.2f}"
    if param == "MEDIAN":
        return {
            "groupId": group,
            "value": value,
            "lowerLimit": f"{scale * (roll - 0.6):.1f}",
            "upperLimit": f"{scale * (roll + 2):.1f}",
        }
    return {"groupId": group, "value": value, "spread": f"{scale * draw.unit():.2f}"}


def _analysis(draw: Draw, ids: list[str]) -> Module:
    estimate, p = draw.spread(0.9, 0.4), draw.unit()
    analysis: Module = {
        "groupIds": [ids[0], draw.pick(ids[1:])],
        "nonInferiorityType": draw.pick(("SUPERIORITY", "OTHER", "NON_INFERIORITY")),
        "pValue": "<0.001" if p < 0.12 else f"{p:.4f}" if p < 0.8 else f"{p:.2f}",
        "statisticalMethod": draw.pick(phrases("statistical method")),
    }
    if draw.chance(0.6):
        analysis["groupDescription"] = "Comparison of the treatment groups with a hierarchical testing procedure"
    if draw.chance(0.75):
        analysis |= {
            "paramType": draw.pick(
                ("Hazard Ratio (HR)", "Mean Difference (Final Values)", "Odds Ratio (OR)", "LS mean difference")
            ),
            "paramValue": f"{estimate:.2f}",
            "ciPctValue": "95",
            "ciNumSides": "TWO_SIDED",
            "ciLowerLimit": f"{estimate * 0.7:.2f}",
            "ciUpperLimit": f"{estimate * 1.4:.3f}",
        }
    return analysis


def more_info(facts: Facts, draw: Draw) -> Module:
    name, module = person(draw), dict[str, Any]()
    if draw.chance(0.26):
        module["limitationsAndCaveats"] = {"description": text(draw, facts.sentences("outcome"), 120)}
    restrictive = draw.chance(0.5)
    module["certainAgreement"] = {"piSponsorEmployee": draw.chance(0.3), "restrictiveAgreement": restrictive}
    if restrictive:
        module["certainAgreement"]["restrictionType"] = draw.pick(("OTHER", "LTE60", "GT60"))
    module["pointOfContact"] = {
        "title": name,
        "organization": facts.lead.name,
        "email": email(draw, name),
        "phone": phone(draw),
    }
    return module
