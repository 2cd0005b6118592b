"""The second reading (`tests.aact_reading`) of what lists inside lists hold: results, contacts of sites, documents."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.aact_reading import Record, Row, dig, full_date

Value = Mapping[str, Any]
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
WHOLE = re.compile(r"-?\d{1,9}")


def number(text: str | None) -> Decimal | None:
    """The number that a text is as a whole; None where it is none."""
    return Decimal(text.strip()) if text is not None and NUMBER.fullmatch(text.strip()) else None


def whole(value: Any) -> int | None:
    return int(value) if value is not None and WHOLE.fullmatch(str(value)) else None


def text(value: Any) -> str | None:
    return None if value is None else str(value)


def results(record: Record, path: str) -> Any:
    return dig(record, f"resultsSection.{path}", [])


def titles(groups: list[Value]) -> dict[str, Any]:
    return {group["id"]: group.get("title") for group in groups}


def counted(denominators: list[Value], units: str, code: str) -> str | None:
    """The number that a list of denominators gives for a group in some units; None where it gives none."""
    return next(
        (c.get("value") for d in denominators if d.get("units") == units for c in d["counts"] if c["groupId"] == code),
        None,
    )


def measurements(measure: Value, outer: list[Value], groups: dict[str, Any]) -> Iterator[Row]:
    """Rows of one measure, each with the denominator of its class, else the first that `outer` lists give."""
    units = measure.get("denomUnitsSelected", "Participants")
    for row in measure.get("classes", []):
        for category in row.get("categories", []):
            for value in category.get("measurements", []):
                code = value["groupId"]
                found = (counted(d.get("denoms", []), units, code) for d in (row, measure, *outer))
                yield (
                    measure.get("title"),
                    row.get("title"),
                    category.get("title"),
                    groups.get(code),
                    code,
                    value.get("value"),
                    number(value.get("value")),
                    number(value.get("spread")),
                    number(value.get("lowerLimit")),
                    number(value.get("upperLimit")),
                    value.get("comment"),
                    whole(next((n for n in found if n is not None), None)),
                    units,
                )


def outcome_measurements(record: Record) -> Iterator[Row]:
    for outcome in results(record, "outcomeMeasuresModule.outcomeMeasures"):
        yield from measurements(outcome, [], titles(outcome.get("groups", [])))


def baseline_measurements(record: Record) -> Iterator[Row]:
    module = results(record, "baselineCharacteristicsModule") or {}
    for measure in module.get("measures", []):
        yield from measurements(measure, [module], titles(module.get("groups", [])))


def outcome_counts(record: Record) -> Iterator[Row]:
    for outcome in results(record, "outcomeMeasuresModule.outcomeMeasures"):
        groups = titles(outcome.get("groups", []))
        for denominator in outcome.get("denoms", []):
            for count in denominator["counts"]:
                yield outcome.get("title"), groups.get(count["groupId"]), denominator["units"], whole(count["value"])


def baseline_counts(record: Record) -> Iterator[Row]:
    groups = titles(results(record, "baselineCharacteristicsModule.groups"))
    for denominator in results(record, "baselineCharacteristicsModule.denoms"):
        for count in denominator["counts"]:
            yield groups.get(count["groupId"]), count["groupId"], denominator["units"], whole(count["value"])


def outcomes(record: Record) -> Iterator[Row]:
    for outcome in results(record, "outcomeMeasuresModule.outcomeMeasures"):
        named = ("type", "title", "timeFrame", "populationDescription", "unitOfMeasure", "paramType", "reportingStatus")
        anticipated = outcome.get("anticipatedPostingDate")
        posting = first_day(anticipated)
        yield (*(outcome.get(key) for key in named), anticipated, posting)


def first_day(text: str | None) -> date | None:
    """The first day that a month means: the rule for dates on which results are expected."""
    end = full_date(text)
    return end.replace(day=1) if end and text and len(text) == 7 else end


def outcome_analyses(record: Record) -> Iterator[Row]:
    for outcome in results(record, "outcomeMeasuresModule.outcomeMeasures"):
        for analysis in outcome.get("analyses", []):
            raw = analysis.get("pValue")
            bare = re.sub("[<>= ]", "", raw) if raw is not None else None
            value = number(bare)
            sign = re.match(r"\s*([<>=]+)", raw or "")
            yield (
                outcome.get("title"),
                raw,
                float(value) if value is not None else None,
                sign.group(1) if sign and value is not None else None,
                analysis.get("statisticalMethod"),
                number(analysis.get("paramValue")),
                number(analysis.get("ciPctValue")),
                number(analysis.get("ciLowerLimit")),
                number(analysis.get("ciUpperLimit")),
                analysis.get("testedNonInferiority"),
                tuple(sorted(analysis.get("groupIds", []))),
            )


def reported_events(record: Record) -> Iterator[Row]:
    module = results(record, "adverseEventsModule") or {}
    groups = titles(module.get("eventGroups", []))
    for kind in ("serious", "other"):
        for event in module.get(f"{kind}Events", []):
            named = [event.get(key) for key in ("organSystem", "term", "sourceVocabulary", "assessmentType", "notes")]
            for stat in event.get("stats", []):
                numbers = [whole(stat.get(key)) for key in ("numAffected", "numAtRisk", "numEvents")]
                yield (kind, *named, groups.get(stat["groupId"]), *numbers)


def reported_event_totals(record: Record) -> Iterator[Row]:
    for group in results(record, "adverseEventsModule.eventGroups"):
        for kind in ("deaths", "serious", "other"):
            yield kind, group["id"], whole(group.get(f"{kind}NumAffected")), whole(group.get(f"{kind}NumAtRisk"))


def flow(record: Record, lists: str, values: str) -> Iterator[tuple[Value, Value, Value, Any]]:
    groups = titles(results(record, "participantFlowModule.groups"))
    for period in results(record, "participantFlowModule.periods"):
        for row in period.get(lists, []):
            for value in row.get(values, []):
                yield period, row, value, groups.get(value["groupId"])


def milestones(record: Record) -> Iterator[Row]:
    for period, row, value, group in flow(record, "milestones", "achievements"):
        yield (
            *(period.get("title"), row.get("type"), row.get("comment"), group),
            *(whole(value.get("numSubjects")), text(value.get("numUnits")), value.get("comment")),
        )


def drop_withdrawals(record: Record) -> Iterator[Row]:
    for period, row, value, group in flow(record, "dropWithdraws", "reasons"):
        yield (
            *(period.get("title"), row.get("type"), row.get("comment"), group),
            *(whole(value.get("numSubjects")), value.get("comment")),
        )


def result_groups(record: Record) -> Iterator[Row]:
    for kind, path in (
        ("Participant Flow", "participantFlowModule.groups"),
        ("Baseline", "baselineCharacteristicsModule.groups"),
        ("Reported Event", "adverseEventsModule.eventGroups"),
    ):
        for group in results(record, path):
            yield kind, None, group["id"], group.get("title"), group.get("description")
    for outcome in results(record, "outcomeMeasuresModule.outcomeMeasures"):
        for group in outcome.get("groups", []):
            yield "Outcome", outcome.get("title"), group["id"], group.get("title"), group.get("description")


def facility_people(record: Record, investigators: bool) -> Iterator[Row]:
    for site in dig(record, "protocolSection.contactsLocationsModule.locations", []):
        found = [
            (contact.get("role"), contact.get("name"), contact.get("phone"), contact.get("email"))
            for contact in site.get("contacts", [])
            if bool(re.search("INVESTIGATOR|STUDY.CHAIR", contact.get("role", "").upper())) == investigators
        ]
        for position, (role, *named) in enumerate(found):
            kind = role if investigators else "backup" if position else "primary"
            yield (site.get("facility"), kind, *named)


def facility_contacts(record: Record) -> Iterator[Row]:
    yield from facility_people(record, investigators=False)


def facility_investigators(record: Record) -> Iterator[Row]:
    yield from facility_people(record, investigators=True)


def provided_documents(record: Record) -> Iterator[Row]:
    for document in dig(record, "documentSection.largeDocumentModule.largeDocs", []):
        named = [document.get(key) for key in ("label", "hasProtocol", "hasIcf", "hasSap", "filename", "size")]
        yield (*named, full_date(document.get("date")))


def pending_results(record: Record) -> Iterator[Row]:
    for event in dig(record, "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents", []):
        yield event.get("type"), event.get("date"), full_date(event.get("date"))


VALUES = """
select m.nct_id, m.title, m.classification, m.category, g.title, m.ctgov_group_code, m.param_value, m.param_value_num,
    m.dispersion_value_num, m.dispersion_lower_limit, m.dispersion_upper_limit, m.explanation_of_na, m.number_analyzed,
    m.number_analyzed_units
from ctgov.{} m left join ctgov.result_groups g on g.id = m.result_group_id
"""
# What each reading is compared with. Groups and outcomes are joined by the ids, which is what they are for.
QUERIES = {
    outcome_measurements: VALUES.format("outcome_measurements"),
    baseline_measurements: VALUES.format("baseline_measurements"),
    outcome_counts: "select c.nct_id, o.title, g.title, c.units, c.count from ctgov.outcome_counts c"
    " join ctgov.outcomes o on o.id = c.outcome_id left join ctgov.result_groups g on g.id = c.result_group_id",
    baseline_counts: "select c.nct_id, g.title, c.ctgov_group_code, c.units, c.count from ctgov.baseline_counts c"
    " left join ctgov.result_groups g on g.id = c.result_group_id",
    outcomes: "select nct_id, outcome_type, title, time_frame, population, units, param_type, reporting_status,"
    " anticipated_posting_month_year, anticipated_posting_date from ctgov.outcomes",
    outcome_analyses: "select a.nct_id, o.title, a.p_value_raw, a.p_value, a.p_value_modifier, a.method, a.param_value,"
    " a.ci_percent, a.ci_lower_limit, a.ci_upper_limit, a.tested_non_inferiority, array(select g.ctgov_group_code"
    " from ctgov.outcome_analysis_groups g where g.outcome_analysis_id = a.id order by 1)"
    " from ctgov.outcome_analyses a join ctgov.outcomes o on o.id = a.outcome_id",
    reported_events: "select e.nct_id, e.event_type, e.organ_system, e.adverse_event_term, e.vocab, e.assessment,"
    " e.notes, g.title, e.subjects_affected, e.subjects_at_risk, e.event_count from ctgov.reported_events e"
    " left join ctgov.result_groups g on g.id = e.result_group_id",
    reported_event_totals: "select nct_id, event_type, ctgov_group_code, subjects_affected, subjects_at_risk"
    " from ctgov.reported_event_totals",
    milestones: "select m.nct_id, m.period, m.title, m.milestone_description, g.title, m.count, m.count_units,"
    " m.achievement_comment from ctgov.milestones m left join ctgov.result_groups g on g.id = m.result_group_id",
    drop_withdrawals: "select d.nct_id, d.period, d.reason, d.drop_withdraw_comment, g.title, d.count,"
    " d.reason_comment from ctgov.drop_withdrawals d left join ctgov.result_groups g on g.id = d.result_group_id",
    result_groups: "select g.nct_id, g.result_type, o.title, g.ctgov_group_code, g.title, g.description"
    " from ctgov.result_groups g left join ctgov.outcomes o on o.id = g.outcome_id",
    facility_contacts: "select c.nct_id, f.name, c.contact_type, c.name, c.phone, c.email"
    " from ctgov.facility_contacts c join ctgov.facilities f on f.id = c.facility_id",
    facility_investigators: "select i.nct_id, f.name, i.role, i.name, i.phone, i.email"
    " from ctgov.facility_investigators i join ctgov.facilities f on f.id = i.facility_id",
    provided_documents: "select nct_id, document_type, has_protocol, has_icf, has_sap, filename, size_bytes,"
    " document_date from ctgov.provided_documents",
    pending_results: "select nct_id, event, event_date_description, event_date from ctgov.pending_results",
}
