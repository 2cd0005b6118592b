"""SQL in the style of AACT's documentation, unchanged, and what each must answer, read out of the records."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.aact_reading import Record, dig, full_date
from tests.aact_results_reading import number, whole

Records = Mapping[str, Record]
Answer = Counter[tuple[Any, ...]]
QUERIES: dict[str, tuple[str, Callable[[str, Record], Iterator[tuple[Any, ...]]]]] = {}


def answers(statement: str) -> Callable[[Any], Any]:
    """Note a query with what one record adds to its answer."""

    def noted(reading: Callable[[str, Record], Iterator[tuple[Any, ...]]]) -> Any:
        QUERIES[reading.__name__] = (statement, reading)
        return reading

    return noted


def status(record: Record) -> Any:
    return dig(record, "protocolSection.statusModule", {})


def listed(record: Record, path: str) -> Any:
    return dig(record, path, [])


@answers(
    """
    SELECT DISTINCT s.nct_id, s.phase FROM ctgov.studies s
    INNER JOIN ctgov.conditions c ON s.nct_id = c.nct_id
    WHERE s.study_type = 'INTERVENTIONAL' AND s.phase LIKE '%PHASE2%' AND c.downcase_name LIKE '%cancer%'
    """
)
def studies_of_a_condition_in_a_phase(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    phases = listed(record, "protocolSection.designModule.phases")
    names = listed(record, "protocolSection.conditionsModule.conditions")
    interventional = dig(record, "protocolSection.designModule.studyType") == "INTERVENTIONAL"
    if interventional and "PHASE2" in phases and any("cancer" in name.lower() for name in names):
        yield nct_id, "/".join(phases)


@answers("SELECT f.country, f.nct_id FROM ctgov.facilities f WHERE f.country IS NOT NULL")
def sites_per_country(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    for site in listed(record, "protocolSection.contactsLocationsModule.locations"):
        if "country" in site:
            yield site["country"], nct_id


@answers(
    """
    SELECT s.agency_class, s.nct_id FROM ctgov.sponsors s
    WHERE s.lead_or_collaborator = 'lead' AND s.agency_class IN ('INDUSTRY', 'NIH')
    """
)
def lead_sponsors_by_class(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    kind = dig(record, "protocolSection.sponsorCollaboratorsModule.leadSponsor.class")
    if kind in ("INDUSTRY", "NIH"):
        yield kind, nct_id


@answers(
    """
    SELECT e.nct_id, e.minimum_age, cv.minimum_age_num FROM ctgov.eligibilities e
    JOIN ctgov.calculated_values cv ON cv.nct_id = e.nct_id
    WHERE cv.minimum_age_unit = 'year' AND cv.minimum_age_num < 18 AND e.child
    """
)
def studies_that_take_children(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    module = dig(record, "protocolSection.eligibilityModule", {})
    age, _, unit = module.get("minimumAge", "").partition(" ")
    if unit.startswith("Year") and int(age) < 18 and "CHILD" in module.get("stdAges", []):
        yield nct_id, module["minimumAge"], int(age)


@answers(
    """
    SELECT o.nct_id, o.title, oa.method, oa.p_value FROM ctgov.outcome_analyses oa
    INNER JOIN ctgov.outcomes o ON o.id = oa.outcome_id
    WHERE o.outcome_type = 'PRIMARY' AND oa.p_value <= 0.05
    """
)
def primary_outcomes_with_a_small_p_value(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    for outcome in listed(record, "resultsSection.outcomeMeasuresModule.outcomeMeasures"):
        for analysis in outcome.get("analyses", []):
            value = number(analysis.get("pValue", "").lstrip("<>= ")) if outcome.get("type") == "PRIMARY" else None
            if value is not None and value <= 0.05:
                yield nct_id, outcome["title"], analysis.get("statisticalMethod"), float(value)


@answers(
    """
    SELECT re.nct_id, rg.title, re.event_type, SUM(re.subjects_affected) FROM ctgov.reported_events re
    JOIN ctgov.result_groups rg ON rg.id = re.result_group_id
    WHERE re.subjects_affected > 0
    GROUP BY re.nct_id, rg.title, re.event_type
    """
)
def adverse_events_per_arm(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    module = dig(record, "resultsSection.adverseEventsModule", {})
    titles = {group["id"]: group["title"] for group in module.get("eventGroups", [])}
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for kind in ("serious", "other"):
        for event in module.get(f"{kind}Events", []):
            for stat in event.get("stats", []):
                if stat["groupId"] in titles:
                    sums[titles[stat["groupId"]], kind] += whole(stat.get("numAffected")) or 0
    yield from ((nct_id, title, kind, affected) for (title, kind), affected in sums.items() if affected)


@answers(
    """
    SELECT om.nct_id, o.title, rg.title, om.param_type, om.param_value_num FROM ctgov.outcome_measurements om
    JOIN ctgov.outcomes o ON o.id = om.outcome_id
    JOIN ctgov.result_groups rg ON rg.id = om.result_group_id AND rg.ctgov_group_code = om.ctgov_group_code
    WHERE om.param_value_num IS NOT NULL
    """
)
def outcomes_with_measurements_per_group(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    for outcome in listed(record, "resultsSection.outcomeMeasuresModule.outcomeMeasures"):
        groups = {group["id"]: group["title"] for group in outcome.get("groups", [])}
        for row in outcome.get("classes", []):
            for value in (
                value for category in row.get("categories", []) for value in category.get("measurements", [])
            ):
                measured = number(value.get("value"))
                if measured is not None:
                    yield nct_id, outcome["title"], groups[value["groupId"]], outcome.get("paramType"), measured


@answers(
    """
    SELECT dw.nct_id, dw.reason, SUM(dw.count) FROM ctgov.drop_withdrawals dw
    WHERE dw.count > 0
    GROUP BY dw.nct_id, dw.reason
    """
)
def drop_outs_by_reason(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    sums: Counter[str] = Counter()
    for period in listed(record, "resultsSection.participantFlowModule.periods"):
        for withdrawal in period.get("dropWithdraws", []):
            sums[withdrawal["type"]] += sum(whole(r.get("numSubjects")) or 0 for r in withdrawal.get("reasons", []))
    yield from ((nct_id, reason, count) for reason, count in sums.items() if count)


@answers(
    """
    SELECT i.nct_id, i.name, ion.name FROM ctgov.interventions i
    JOIN ctgov.intervention_other_names ion ON ion.intervention_id = i.id
    WHERE i.intervention_type IN ('DRUG', 'BIOLOGICAL')
    """
)
def drugs_with_other_names(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    for given in listed(record, "protocolSection.armsInterventionsModule.interventions"):
        if given.get("type") in ("DRUG", "BIOLOGICAL"):
            yield from ((nct_id, given.get("name"), name) for name in given.get("otherNames", []))


@answers(
    """
    SELECT sr.nct_id, COUNT(*) FROM ctgov.study_references sr
    WHERE sr.reference_type IN ('RESULT', 'DERIVED') AND sr.pmid IS NOT NULL
    GROUP BY sr.nct_id
    """
)
def publications_per_study(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    given = listed(record, "protocolSection.referencesModule.references")
    count = sum(1 for one in given if one.get("type") in ("RESULT", "DERIVED") and "pmid" in one)
    if count:
        yield nct_id, count


@answers(
    """
    SELECT s.nct_id, s.results_first_submitted_date - s.primary_completion_date AS days FROM ctgov.studies s
    WHERE s.results_first_submitted_date > s.primary_completion_date
    """
)
def days_from_completion_to_results(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    submitted = full_date(status(record).get("resultsFirstSubmitDate"))
    completed = full_date(dig(status(record), "primaryCompletionDateStruct.date"))
    if submitted and completed and submitted > completed:
        yield nct_id, (submitted - completed).days


@answers(
    """
    SELECT s.nct_id, dg.title, i.name FROM ctgov.studies s
    JOIN ctgov.design_groups dg ON dg.nct_id = s.nct_id
    JOIN ctgov.design_group_interventions dgi ON dgi.design_group_id = dg.id
    JOIN ctgov.interventions i ON i.id = dgi.intervention_id
    WHERE dg.group_type = 'EXPERIMENTAL' AND s.overall_status = 'RECRUITING'
    """
)
def what_is_given_in_arms_that_recruit(nct_id: str, record: Record) -> Iterator[tuple[Any, ...]]:
    module = dig(record, "protocolSection.armsInterventionsModule", {})
    arms = {arm["label"] for arm in module.get("armGroups", []) if arm.get("type") == "EXPERIMENTAL"}
    if status(record).get("overallStatus") == "RECRUITING":
        for given in module.get("interventions", []):
            yield from ((nct_id, label, given["name"]) for label in given.get("armGroupLabels", []) if label in arms)


def expected(name: str, records: Records) -> Answer:
    """What a query must answer of the records."""
    _, reading = QUERIES[name]
    return Counter(row for nct_id, record in records.items() for row in reading(nct_id, record))
