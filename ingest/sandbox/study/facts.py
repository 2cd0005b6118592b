"""The facts of a study that several modules tell: dates, status, what is tested in whom, by whom, on how many."""

from dataclasses import dataclass, field

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.population import NIGHT_ZERO, OPEN_STATUSES, Outline
from ingest.sandbox.study.organizations import Sponsor, sponsor
from ingest.sandbox.study.stop_reasons import StopReason
from ingest.sandbox.study.treatments import Arm, arms_of, choose_interventions, condition_names
from ingest.sandbox.study.words import filled
from ingest.sandbox.vocabulary import Condition, Intervention, conditions, conditions_of, phrases

STOPPED = frozenset({"TERMINATED", "WITHDRAWN", "SUSPENDED"})
DRUG_PHASES = Weighted(
    [
        (("PHASE2",), 0.176),
        (("PHASE3",), 0.12),
        (("PHASE4",), 0.111),
        (("PHASE1",), 0.093),
        (("PHASE1", "PHASE2"), 0.05),
        (("PHASE2", "PHASE3"), 0.024),
        (("EARLY_PHASE1",), 0.012),
    ]
)
NOT_APPLICABLE_SHARE = 0.415
INDUSTRY_SHARE = {
    "PHASE1": 0.5,
    "PHASE2": 0.44,
    "PHASE3": 0.52,
    "PHASE4": 0.26,
    "NA": 0.2,
    "EARLY_PHASE1": 0.2,
    "": 0.2,
}
ENROLLMENT_MEDIAN = {"PHASE1": 34, "PHASE2": 60, "PHASE3": 260, "PHASE4": 100, "NA": 72, "EARLY_PHASE1": 22, "": 180}
# (share with one site or none, median and sigma of the others' sites), for sponsors from industry and others.
SITES = {
    True: {
        "PHASE1": (0.5, 6, 0.8),
        "PHASE2": (0.1, 21, 0.95),
        "PHASE3": (0.08, 62, 1.0),
        "PHASE4": (0.3, 14, 1.0),
        "NA": (0.5, 7, 1.0),
        "": (0.5, 10, 1.0),
        "EARLY_PHASE1": (0.9, 3, 0.5),
    },
    False: {
        "PHASE1": (0.85, 4, 0.7),
        "PHASE2": (0.68, 5, 1.1),
        "PHASE3": (0.6, 7, 1.2),
        "PHASE4": (0.85, 4, 0.9),
        "NA": (0.87, 4, 0.9),
        "": (0.84, 4, 0.9),
        "EARLY_PHASE1": (0.95, 2, 0.3),
    },
}


@dataclass(slots=True)
class Facts:
    """One study on one night. Days are proleptic ordinals; None is a fact that the record leaves out.

    `verbosity` stretches the protocol's texts, `richness` the number of results (both 1 in the median).
    """

    index: int
    nct_id: str
    data_day: int
    status: str
    submitted: int
    updated: int
    study_type: str
    phases: tuple[str, ...] | None
    lead: Sponsor
    area: str
    conditions: list[str]
    condition_mesh: list[str]
    interventions: list[Intervention]
    arms: list[Arm]
    start: int | None
    primary_completion: int | None
    completion: int | None
    enrollment: int
    sites: int
    has_placebo: bool
    last_known_status: str | None = None
    results_posted: int | None = None
    stop_reason: StopReason | None = None
    revision: int = 0
    silent: int = 0
    verbosity: float = 1.0
    richness: float = 1.0
    words: dict[str, str] = field(default_factory=dict)
    _filled: dict[str, list[str]] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        """The highest phase, 'NA' or '' where there is none."""
        return self.phases[-1] if self.phases else ""

    def sentences(self, bank: str) -> list[str]:
        """A bank of phrases with this study's words in it, filled once: results use the same sentences many times."""
        found = self._filled.get(bank)
        if found is None:
            found = self._filled[bank] = filled(phrases(bank), self.words)
        return found

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_drug_trial(self) -> bool:
        return bool(self.phases) and self.phases != ("NA",)


def first_facts(index: int, nct_id: str, data_day: int, outline: Outline, draw: Draw) -> Facts:
    """A study as it was before its first update."""
    study_type, phases = _type_and_phases(draw)
    phase = phases[-1] if phases else ""
    industry = draw.chance(INDUSTRY_SHARE[phase])
    named, area = _conditions(draw)
    is_drug = bool(phases) and phases != ("NA",)
    interventions = choose_interventions(draw, area, study_type, is_drug)
    arms = arms_of(draw, interventions, study_type)
    facts = Facts(
        index,
        nct_id,
        data_day,
        outline.status,
        outline.submitted,
        outline.updated,
        study_type,
        phases,
        sponsor(draw, industry, is_drug),
        area,
        condition_names(draw, named),
        [c.mesh_id for c in named if c.mesh_id and draw.chance(0.9)],
        interventions,
        arms,
        None,
        None,
        None,
        _enrollment(draw, phase),
        _sites(draw, industry, phase),
        any(item.name.startswith("Placebo") for item in interventions),
    )
    _date(facts, draw)
    _fit_to_status(facts, draw, industry)
    return facts


def _type_and_phases(draw: Draw) -> tuple[str, tuple[str, ...] | None]:
    roll = draw.unit()
    if roll < 0.0008:
        return "EXPANDED_ACCESS", None
    if roll < 0.135:
        return "OBSERVATIONAL", None
    if draw.chance(NOT_APPLICABLE_SHARE):
        return "INTERVENTIONAL", ("NA",)
    return "INTERVENTIONAL", draw.weighted(DRUG_PHASES)


def _conditions(draw: Draw) -> tuple[list[Condition], str]:
    first = draw.weighted(conditions())
    more = draw.count(0.45, 1.15, 12)
    others = draw.some(conditions_of(first.area), more + 1) if more else []
    return [first, *[other for other in others if other is not first][:more]], first.area


def _enrollment(draw: Draw, phase: str) -> int:
    exact = draw.spread(ENROLLMENT_MEDIAN[phase], 1.05 if phase and phase != "NA" else 1.7)
    step = 1 if exact < 30 or draw.chance(0.45) else 10 if exact < 1000 else 100
    return max(4, round(exact / step) * step)


def _sites(draw: Draw, industry: bool, phase: str) -> int:
    single, median, sigma = SITES[industry][phase]
    roll = draw.unit()
    if roll < 0.07:
        return 0
    return 1 if roll < 0.07 + 0.93 * single else 1 + draw.count(median, sigma, 1150)


def _date(facts: Facts, draw: Draw) -> None:
    """Start and completion that agree with the status and with the day of the last update."""
    facts.start = facts.submitted + int(draw.normal() * 130) - 20
    duration = max(20, int(draw.spread(700, 0.85)))
    facts.primary_completion = facts.start + duration
    facts.completion = facts.primary_completion + (0 if draw.chance(0.35) else int(draw.spread(100, 1.1)))
    if facts.status in ("COMPLETED", "TERMINATED"):
        _end_before(facts, facts.updated - draw.whole(5, 60))
    elif facts.status == "NOT_YET_RECRUITING":
        facts.start = max(facts.start, facts.updated + draw.whole(5, 120))
    elif facts.status != "WITHDRAWN":
        facts.start = min(facts.start, facts.updated - draw.whole(1, 30))
    if facts.is_open and facts.completion <= facts.updated:
        facts.primary_completion = facts.updated + draw.whole(30, 900)
    facts.primary_completion = max(facts.primary_completion, facts.start)
    facts.completion = max(facts.completion, facts.primary_completion)


def _end_before(facts: Facts, latest: int) -> None:
    assert facts.start is not None
    assert facts.primary_completion is not None
    assert facts.completion is not None
    facts.completion = min(facts.completion, latest)
    facts.primary_completion = min(facts.primary_completion, facts.completion)
    facts.start = min(facts.start, facts.primary_completion)


def _fit_to_status(facts: Facts, draw: Draw, industry: bool) -> None:
    """What follows from the status: enrollment, results, the reason for a stop, the status known last."""
    if facts.status == "UNKNOWN":
        facts.last_known_status = draw.pick(
            ("RECRUITING",) * 6 + ("NOT_YET_RECRUITING",) * 3 + ("ACTIVE_NOT_RECRUITING",)
        )
    elif facts.status in STOPPED:
        stop(facts, draw)
    elif facts.status == "COMPLETED" and draw.chance(0.5):
        facts.enrollment = max(2, int(facts.enrollment * (0.6 + 0.6 * draw.unit())))
    ended = facts.status in ("COMPLETED", "TERMINATED") and facts.study_type == "INTERVENTIONAL"
    if ended and draw.chance(0.54 if industry else 0.3) and facts.completion is not None:
        posted = min(facts.updated, facts.completion + int(draw.spread(480, 0.5)))
        if posted > facts.completion + 30 and facts.enrollment > 0 and facts.submitted > NIGHT_ZERO - 8200:
            facts.results_posted = posted


def stop(facts: Facts, draw: Draw) -> None:
    """Give a stopped study its reason (nine in ten state one) and the enrollment it got to."""
    if facts.status == "WITHDRAWN":
        facts.enrollment = 0
    elif facts.status == "TERMINATED":
        facts.enrollment = int(facts.enrollment * draw.unit() ** 1.5 * 0.8)
    if draw.chance(0.92):
        ended = facts.completion if facts.completion is not None else facts.updated
        facts.stop_reason = StopReason.drawn(draw, facts.status, facts.enrollment, ended, facts.lead.agency_class)
