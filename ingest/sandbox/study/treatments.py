"""What is tested, in which arms, and how registrants spell it."""

from typing import NamedTuple

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.vocabulary import Condition, Intervention, interventions_of, phrases

_DRUG_KINDS = Weighted([("DRUG", 0.83), ("BIOLOGICAL", 0.15), ("DIETARY_SUPPLEMENT", 0.015), ("GENETIC", 0.005)])
_OTHER_KINDS = Weighted(
    [
        ("DEVICE", 0.24),
        ("BEHAVIORAL", 0.17),
        ("OTHER", 0.2),
        ("PROCEDURE", 0.15),
        ("DRUG", 0.1),
        ("DIAGNOSTIC_TEST", 0.06),
        ("DIETARY_SUPPLEMENT", 0.06),
        ("RADIATION", 0.015),
        ("COMBINATION_PRODUCT", 0.01),
    ]
)
_ADDED_KINDS = Weighted(
    [("DRUG", 0.5), ("OTHER", 0.2), ("PROCEDURE", 0.1), ("DIAGNOSTIC_TEST", 0.08), ("BIOLOGICAL", 0.07)]
)
_CODE_LETTERS = ("VX", "BLT", "QRA", "ZN", "MRK", "TAV", "ELX", "ORB", "CDA", "NXL")
_CONTROL_LABELS = ("Control group", "Control", "Standard of care", "Usual care", "Comparator")
PLACEBOS = (
    Intervention("DRUG", "Placebo", "", (), "Matching placebo, same schedule as the active drug"),
    Intervention("DRUG", "Placebo oral tablet", "", ("Placebo",), "Inactive tablet identical in appearance"),
    Intervention("OTHER", "Placebo", "", ("Sham",), "Normal saline, same volume and route"),
)


class Arm(NamedTuple):
    """An arm: `members` are positions in the study's list of interventions."""

    label: str
    kind: str
    members: tuple[int, ...]


def choose_interventions(draw: Draw, area: str, study_type: str, is_drug: bool) -> list[Intervention]:
    """What a study tests: 2 interventions on average, often a placebo; observational studies often none."""
    if study_type == "OBSERVATIONAL":
        count = draw.weighted(_OBSERVED_COUNT)
        return [_spelled(draw, _one(draw, area, draw.weighted(_OTHER_KINDS))) for _ in range(count)]
    kinds = _DRUG_KINDS if is_drug else _OTHER_KINDS
    chosen = [_spelled(draw, _one(draw, area, draw.weighted(kinds)))]
    for _ in range(draw.weighted(_ADDED_COUNT)):
        kind = draw.weighted(kinds if draw.chance(0.6) else _ADDED_KINDS)
        chosen.append(_spelled(draw, _one(draw, area, kind)))
    if is_drug and draw.chance(0.36):
        chosen.append(draw.pick(PLACEBOS))
    return list({item.name: item for item in chosen}.values())


_OBSERVED_COUNT = Weighted([(0, 0.42), (1, 0.42), (2, 0.12), (3, 0.04)])
_ADDED_COUNT = Weighted([(0, 0.45), (1, 0.33), (2, 0.12), (3, 0.06), (5, 0.03), (8, 0.01)])


def _one(draw: Draw, area: str, kind: str) -> Intervention:
    # One drug in six is known by a company's code only.
    if kind in ("DRUG", "BIOLOGICAL") and draw.chance(0.16):
        code = f"{draw.pick(_CODE_LETTERS)}-{draw.whole(100, 9899)}"
        return Intervention(kind, code, "", (), draw.pick(interventions_of(area, kind)).regimen)
    return draw.pick(interventions_of(area, kind))


def _spelled(draw: Draw, item: Intervention) -> Intervention:
    """The same intervention under a name as registrants write it: brand, salt, dose, capitals."""
    roll = draw.unit()
    # The registry finds no MeSH term in two names of five.
    if draw.chance(0.42):
        item = item._replace(mesh_id="")
    if roll < 0.35 or item.kind not in ("DRUG", "BIOLOGICAL"):
        name = item.name[:1].upper() + item.name[1:]
    elif roll < 0.5 and item.other_names:
        return item._replace(name=draw.pick(item.other_names), other_names=(item.name,))
    elif roll < 0.8:
        name = item.name[:1].upper() + item.name[1:] + draw.pick(phrases("name suffix"))
    else:
        name = item.name
    return item._replace(name=name)


def condition_names(draw: Draw, chosen: list[Condition]) -> list[str]:
    """Names of conditions as registrants write them, each once."""
    names = []
    for condition in chosen:
        name = draw.pick(condition.names)
        if draw.chance(0.25):
            stage = draw.pick(phrases("stage"))
            name = f"{stage} {name}" if draw.chance(0.6) else f"{name}, {stage}"
        names.append(name)
    return list(dict.fromkeys(names))


def arms_of(draw: Draw, interventions: list[Intervention], study_type: str) -> list[Arm]:
    """The arms of a trial, or the cohorts of an observational study (with no type)."""
    if study_type == "EXPANDED_ACCESS":
        return []
    if study_type == "OBSERVATIONAL":
        count = 0 if draw.chance(0.3) else draw.whole(1, 3)
        everyone = tuple(range(len(interventions)))
        return [
            Arm(f"{draw.pick(('Cohort', 'Group', 'Cases', 'Patients'))} {k + 1}", "", everyone) for k in range(count)
        ]
    tested = [k for k, item in enumerate(interventions) if not item.name.startswith("Placebo")]
    placebo = [k for k in range(len(interventions)) if k not in tested]
    arms = [Arm(_label(draw, interventions[tested[0]], "Arm A"), "EXPERIMENTAL", (tested[0], *tested[2:]))]
    if placebo:
        arms.append(Arm("Placebo", "PLACEBO_COMPARATOR", (placebo[0], *tested[2:])))
    if len(tested) > 1:
        kind = draw.pick(("ACTIVE_COMPARATOR", "ACTIVE_COMPARATOR", "EXPERIMENTAL"))
        arms.append(Arm(_label(draw, interventions[tested[1]], "Arm B"), kind, (tested[1],)))
    if len(arms) == 1 and draw.chance(0.4):
        arms.append(Arm(draw.pick(_CONTROL_LABELS), draw.pick(("NO_INTERVENTION", "OTHER", "SHAM_COMPARATOR")), ()))
    name = interventions[tested[0]].name
    cohorts = range(2, 2 + draw.weighted(_EXTRA_ARMS))
    return arms + [Arm(f"{name}, cohort {k}", "EXPERIMENTAL", (tested[0],)) for k in cohorts]


_EXTRA_ARMS = Weighted([(0, 0.86), (1, 0.07), (2, 0.04), (4, 0.02), (8, 0.01)])


def _label(draw: Draw, item: Intervention, arm: str) -> str:
    return draw.pick((item.name, item.name, f"{arm}: {item.name}", f"{item.name} group", arm, "Intervention group"))
