"""The modules of `protocolSection` on who does what, when: identification, status, sponsors, oversight, design."""

from typing import Any

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.population import NIGHT_ZERO
from ingest.sandbox.study.dates import iso, month
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.organizations import collaborator, person
from ingest.sandbox.study.words import text
from ingest.sandbox.vocabulary import phrases

Module = dict[str, Any]
_NEW_REGISTRATION_RULES = (
    735_000  # 2013-05; the type of a date, FDA flags and quality-control dates became usual later on
)
_ALLOCATION = Weighted([("RANDOMIZED", 0.69), ("NA", 0.215), ("NON_RANDOMIZED", 0.095)])
_MODEL = Weighted(
    [("PARALLEL", 0.74), ("CROSSOVER", 0.1), ("SEQUENTIAL", 0.05), ("SINGLE_GROUP", 0.1), ("FACTORIAL", 0.01)]
)
_PURPOSE = Weighted(
    [
        ("TREATMENT", 0.76),
        ("PREVENTION", 0.067),
        ("DIAGNOSTIC", 0.045),
        ("OTHER", 0.036),
        ("SUPPORTIVE_CARE", 0.034),
        ("BASIC_SCIENCE", 0.033),
        ("HEALTH_SERVICES_RESEARCH", 0.016),
        ("SCREENING", 0.005),
        ("DEVICE_FEASIBILITY", 0.004),
    ]
)
_MASKING = Weighted([("NONE", 0.51), ("DOUBLE", 0.15), ("QUADRUPLE", 0.14), ("SINGLE", 0.12), ("TRIPLE", 0.08)])
_MASKED = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_WHO = ("PARTICIPANT", "INVESTIGATOR", "OUTCOMES_ASSESSOR", "CARE_PROVIDER")
_OBSERVATIONAL = Weighted(
    [("COHORT", 0.6), ("CASE_CONTROL", 0.17), ("CASE_ONLY", 0.11), ("OTHER", 0.1), ("ECOLOGIC_OR_COMMUNITY", 0.02)]
)
_PERSPECTIVE = Weighted([("PROSPECTIVE", 0.67), ("CROSS_SECTIONAL", 0.15), ("RETROSPECTIVE", 0.13), ("OTHER", 0.05)])


def words_of(facts: Facts, draw: Draw) -> dict[str, str]:
    """The words that the study's sentences are filled with."""
    drug = facts.interventions[0] if facts.interventions else None
    other = (
        "placebo"
        if facts.has_placebo
        else facts.interventions[1].name
        if len(facts.interventions) > 1
        else "usual care"
    )
    return {
        "c": facts.conditions[0],
        "d": drug.name if drug else "the management",
        "o": other,
        "n": str(draw.pick((2, 3, 4, 6, 8, 10, 12, 18, 24, 36, 52))),
        "design": draw.pick(phrases("design")),
        "regimen": (drug.regimen if drug else "") or "according to local practice",
    }


def identification(facts: Facts, draw: Draw) -> Module:
    words = facts.words
    module: Module = {"nctId": facts.nct_id}
    module["orgStudyIdInfo"] = {"id": f"{draw.pick(('IRB', 'STU', 'CT', 'PRO', '20'))}-{draw.whole(100, 99999)}"}
    if draw.chance(0.22):
        module["secondaryIdInfos"] = [_secondary_id(draw) for _ in range(1 + draw.count(0.3, 1.0, 6))]
    module["organization"] = {"fullName": facts.lead.name, "class": facts.lead.agency_class}
    module["briefTitle"] = (draw.pick(phrases("brief title")) % words)[:300]
    if draw.chance(0.99):
        module["officialTitle"] = (draw.pick(phrases("official title")) % words)[:600]
    if draw.chance(0.38):
        module["acronym"] = "".join(draw.pick("ABCDEFGHILMNOPRSTUVX") for _ in range(draw.whole(4, 8)))
    return module


def _secondary_id(draw: Draw) -> Module:
    roll = draw.unit()
    if roll < 0.3:
        return {
            "id": f"{draw.whole(2005, 2026)}-{draw.whole(0, 999999):06d}-{draw.whole(10, 99)}",
            "type": "EUDRACT_NUMBER",
        }
    if roll < 0.55:
        number = f"R01HL{draw.whole(100000, 199999)}"
        return {"id": number, "type": "NIH", "link": f"https://reporter.nih.gov/quickSearch/{number}"}
    if roll < 0.9:
        return {
            "id": f"U1111-{draw.whole(1000, 9999)}-{draw.whole(1000, 9999)}",
            "type": "OTHER",
            "domain": draw.pick(("WHO", "CTRP", "IDRCB")),
        }
    return {"id": f"{draw.whole(10, 99)}/{draw.whole(1000, 9999)}"}


def status(facts: Facts, draw: Draw) -> Module:
    old = facts.submitted < _NEW_REGISTRATION_RULES and facts.revision == 0
    module: Module = {"statusVerifiedDate": month(facts.updated - draw.whole(2, 20)), "overallStatus": facts.status}
    if facts.last_known_status:
        module["lastKnownStatus"] = facts.last_known_status
    if facts.stop_reason:
        module["whyStopped"] = facts.stop_reason.text
    if draw.chance(0.987):
        module["expandedAccessInfo"] = {"hasExpandedAccess": False}
    for name, day in (
        ("startDateStruct", facts.start),
        ("primaryCompletionDateStruct", facts.primary_completion),
        ("completionDateStruct", facts.completion),
    ):
        by_month, missing, untyped = draw.unit(), draw.unit(), draw.unit()
        if day is None or (missing < 0.03 and name != "startDateStruct" and facts.submitted < _NEW_REGISTRATION_RULES):
            continue
        kind = "ACTUAL" if day <= facts.updated and facts.status != "UNKNOWN" else "ESTIMATED"
        struct = {"date": month(day) if by_month < (0.75 if old else 0.2) else iso(day)}
        module[name] = (
            struct if old and untyped < (0.75 if name == "startDateStruct" else 0.04) else {**struct, "type": kind}
        )
    module.update(_posting(facts, draw))
    return module


def _posting(facts: Facts, draw: Draw) -> Module:
    """The registry's own dates, always complete: submitted, checked, posted, for the record and for its results."""
    typed = "ACTUAL" if facts.submitted > 736_340 else "ESTIMATED"
    submitted, posted = facts.submitted, min(facts.submitted + draw.whole(1, 8), facts.updated)
    module: Module = {
        "studyFirstSubmitDate": iso(submitted),
        "studyFirstSubmitQcDate": iso((submitted + posted) // 2),
        "studyFirstPostDateStruct": {"date": iso(posted), "type": typed},
    }
    if facts.results_posted:
        sent = facts.results_posted - draw.whole(10, 60)
        module["resultsFirstSubmitDate"] = iso(sent)
        module["resultsFirstSubmitQcDate"] = iso(facts.results_posted - draw.whole(1, 9))
        module["resultsFirstPostDateStruct"] = {"date": iso(facts.results_posted), "type": "ACTUAL"}
        if facts.lead.agency_class == "INDUSTRY" and draw.chance(0.25):
            module["dispFirstSubmitDate"] = iso(sent - 200)
            module["dispFirstPostDateStruct"] = {"date": iso(sent - 190), "type": "ACTUAL"}
    module["lastUpdateSubmitDate"] = iso(
        max(facts.submitted, facts.updated - (draw.whole(1, 5) if facts.revision == 0 else 1))
    )
    module["lastUpdatePostDateStruct"] = {
        "date": iso(facts.updated),
        "type": "ACTUAL" if facts.updated > 736_340 else "ESTIMATED",
    }
    return module


def sponsors(facts: Facts, draw: Draw) -> Module:
    module: Module = {}
    roll, name = draw.unit(), person(draw)
    if facts.lead.agency_class == "INDUSTRY" or roll < 0.4:
        module["responsibleParty"] = {"type": "SPONSOR"}
    elif roll < 0.93:
        kind = "PRINCIPAL_INVESTIGATOR" if roll < 0.85 else "SPONSOR_INVESTIGATOR"
        module["responsibleParty"] = {
            "type": kind,
            "investigatorFullName": name,
            "investigatorTitle": draw.pick(
                ("Professor", "Principal Investigator", "Associate Professor", "MD", "Consultant", "Clinical Director")
            ),
            "investigatorAffiliation": facts.lead.name,
        }
    elif roll < 0.97:
        module["responsibleParty"] = {"oldNameTitle": f"{name}, Director", "oldOrganization": facts.lead.name}
    module["leadSponsor"] = {"name": facts.lead.name, "class": facts.lead.agency_class}
    if draw.chance(0.36):
        others = {collaborator(draw) for _ in range(1 + draw.count(0.5, 1.1, 20))}
        module["collaborators"] = [{"name": s.name, "class": s.agency_class} for s in sorted(others)]
    return module


def oversight(facts: Facts, draw: Draw) -> Module:
    module: Module = {}
    if draw.chance(0.855):
        module["oversightHasDmc"] = draw.chance(0.44)
    if facts.submitted > 736_300 or draw.chance(0.15):
        module["isFdaRegulatedDrug"] = facts.is_drug_trial and draw.chance(0.36)
        module["isFdaRegulatedDevice"] = not module["isFdaRegulatedDrug"] and draw.chance(0.08)
        if draw.chance(0.26):
            module["isUsExport"] = draw.chance(0.1)
    return module


def design(facts: Facts, draw: Draw) -> Module:
    module: Module = {"studyType": facts.study_type}
    if facts.study_type == "EXPANDED_ACCESS":
        return {**module, "expandedAccessTypes": {"treatment": True}}
    if facts.study_type == "OBSERVATIONAL":
        module["patientRegistry"] = draw.chance(0.12)
        if module["patientRegistry"]:
            module["targetDuration"] = (
                f"{draw.whole(1, 10)} Years" if draw.chance(0.7) else f"{draw.whole(2, 24)} Months"
            )
        module["designInfo"] = {
            "observationalModel": draw.weighted(_OBSERVATIONAL),
            "timePerspective": draw.weighted(_PERSPECTIVE),
        }
        if draw.chance(0.29):
            module["bioSpec"] = {
                "retention": draw.pick(("SAMPLES_WITH_DNA", "SAMPLES_WITHOUT_DNA", "NONE_RETAINED")),
                "description": "Blood and urine samples",
            }
    else:
        if facts.phases:
            module["phases"] = list(facts.phases)
        module["designInfo"] = _interventional_design(facts, draw)
    if draw.chance(0.997):
        module["enrollmentInfo"] = {"count": facts.enrollment}
        if facts.submitted > NIGHT_ZERO - 6500 or draw.chance(0.6):
            module["enrollmentInfo"]["type"] = "ESTIMATED" if facts.is_open or facts.status == "UNKNOWN" else "ACTUAL"
    return module


def _interventional_design(facts: Facts, draw: Draw) -> Module:
    info: Module = {"allocation": "NA", "interventionModel": "SINGLE_GROUP"}
    if len(facts.arms) > 1:
        info = {"allocation": draw.weighted(_ALLOCATION), "interventionModel": draw.weighted(_MODEL)}
    if draw.chance(0.22):
        info["interventionModelDescription"] = text(draw, facts.sentences("outcome"), draw.spread(140, 0.6))
    if draw.chance(0.995):
        info["primaryPurpose"] = draw.weighted(_PURPOSE)
    masking = draw.pick(("DOUBLE", "TRIPLE", "QUADRUPLE")) if facts.has_placebo else draw.weighted(_MASKING)
    info["maskingInfo"] = {"masking": masking}
    if masking != "NONE" and draw.chance(0.95):
        info["maskingInfo"]["whoMasked"] = list(_WHO[: _MASKED[masking]])
        if draw.chance(0.2):
            info["maskingInfo"]["maskingDescription"] = (
                "Identical appearance of all study medication; sealed envelopes."
            )
    return info
