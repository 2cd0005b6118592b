"""A second reading of ClinicalTrials.gov records by AACT's rules, in Python, to hold the SQL against."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

Record = Mapping[str, Any]
Row = tuple[Any, ...]
US_COUNTRIES = {"United States", "Guam", "Puerto Rico", "U.S. Virgin Islands", "Northern Mariana Islands"}


def dig(record: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path; `default` where any step is absent."""
    for key in path.split("."):
        if not isinstance(record, Mapping) or key not in record:
            return default
        record = record[key]
    return record


def full_date(text: str | None) -> date | None:
    """The last day that a partial date may mean."""
    parts = [int(part) for part in text.split("-")] if text else []
    if len(parts) == 3:
        return date(parts[0], parts[1], parts[2])
    if len(parts) == 2:
        return date(parts[0], parts[1], monthrange(parts[0], parts[1])[1])
    return date(parts[0], 12, 31) if parts else None


def conditions(record: Record) -> Iterator[Row]:
    for name in dig(record, "protocolSection.conditionsModule.conditions", []):
        yield name, name.lower()


def sponsors(record: Record) -> Iterator[Row]:
    lead = dig(record, "protocolSection.sponsorCollaboratorsModule.leadSponsor")
    if lead:
        yield "lead", lead["class"], lead["name"]
    for other in dig(record, "protocolSection.sponsorCollaboratorsModule.collaborators", []):
        yield "collaborator", other["class"], other["name"]


def facilities(record: Record) -> Iterator[Row]:
    for site in dig(record, "protocolSection.contactsLocationsModule.locations", []):
        named = [site.get(key) for key in ("status", "facility", "city", "state", "zip", "country")]
        yield (*named, dig(site, "geoPoint.lat"), dig(site, "geoPoint.lon"))


def countries(record: Record) -> Iterator[Row]:
    sites = dig(record, "protocolSection.contactsLocationsModule.locations", [])
    yield from ((name, False) for name in {site.get("country") for site in sites} - {None})
    yield from ((name, True) for name in set(dig(record, "derivedSection.miscInfoModule.removedCountries", [])))


def design_outcomes(record: Record) -> Iterator[Row]:
    for kind in ("primary", "secondary", "other"):
        for outcome in dig(record, f"protocolSection.outcomesModule.{kind}Outcomes", []):
            yield kind, *(outcome.get(key) for key in ("measure", "timeFrame", "description"))


def browse_conditions(record: Record) -> Iterator[Row]:
    for key, kind in (("meshes", "mesh-list"), ("ancestors", "mesh-ancestor")):
        for term in dig(record, f"derivedSection.conditionBrowseModule.{key}", []):
            yield term["term"], term["term"].lower(), kind


def arm_links(record: Record) -> Iterator[Row]:
    """What `design_group_interventions` links: type and name of the intervention, title and type of the arm."""
    module = dig(record, "protocolSection.armsInterventionsModule", {})
    arms = {arm["label"]: (arm["label"], arm.get("type")) for arm in module.get("armGroups", [])}
    for given in module.get("interventions", []):
        for label in given.get("armGroupLabels", []):
            yield given.get("type"), given.get("name"), *arms.get(label, (None, None))


def studies(record: Record) -> Iterator[Row]:
    status = dig(record, "protocolSection.statusModule", {})
    design = dig(record, "protocolSection.designModule", {})
    arms = dig(record, "protocolSection.armsInterventionsModule.armGroups")
    count = None if arms is None else len(arms)
    interventional = "INTERVENTIONAL" in design.get("studyType", "")
    yield (
        dig(record, "protocolSection.identificationModule.officialTitle"),
        status.get("overallStatus"),
        "/".join(design.get("phases", [])) or None,
        dig(design, "enrollmentInfo.count"),
        count if interventional else None,
        None if interventional else count,
        dig(status, "startDateStruct.date"),
        full_date(dig(status, "startDateStruct.date")),
        full_date(dig(status, "completionDateStruct.date")),
        full_date(status.get("statusVerifiedDate")),
        full_date(dig(status, "resultsFirstPostDateStruct.date")),
        dig(record, "protocolSection.oversightModule.oversightHasDmc"),
    )


def calculated_values(record: Record) -> Iterator[Row]:
    status = dig(record, "protocolSection.statusModule", {})
    sites = dig(record, "protocolSection.contactsLocationsModule.locations", [])
    start, end, reported = (
        full_date(dig(status, path))
        for path in ("startDateStruct.date", "primaryCompletionDateStruct.date", "resultsFirstSubmitDate")
    )
    estimated = "ESTIMATED" in {dig(status, f"{name}DateStruct.type") for name in ("start", "primaryCompletion")}
    yield (
        len(sites),
        any(site.get("country") in US_COUNTRIES for site in sites) if sites else None,
        len(sites) == 1 if sites else None,
        int((end - start).days / 30) if start and end and not estimated else None,
        int((reported - end).days / 30) if reported and end else None,
        *_age(dig(record, "protocolSection.eligibilityModule.minimumAge")),
        len(dig(record, "protocolSection.outcomesModule.primaryOutcomes", [])) or None,
        bool(dig(record, "resultsSection.outcomeMeasuresModule.outcomeMeasures")),
        _affected(record),
    )


def _age(text: str | None) -> Row:
    if not text:
        return None, None
    number, unit = text.split()
    return int(number), unit.lower().rstrip("s")


def _affected(record: Record) -> int | None:
    events = dig(record, "resultsSection.adverseEventsModule.seriousEvents", [])
    numbers = [stat["numAffected"] for event in events for stat in event.get("stats", []) if "numAffected" in stat]
    return sum(numbers) if numbers else None


# What each reading is compared with: the same columns, by SQL.
QUERIES = {
    conditions: "select nct_id, name, downcase_name from ctgov.conditions",
    sponsors: "select nct_id, lead_or_collaborator, agency_class, name from ctgov.sponsors",
    facilities: "select nct_id, status, name, city, state, zip, country, latitude::float8, longitude::float8"
    " from ctgov.facilities",
    countries: "select nct_id, name, removed from ctgov.countries",
    design_outcomes: "select nct_id, outcome_type, measure, time_frame, description from ctgov.design_outcomes",
    browse_conditions: "select nct_id, mesh_term, downcase_mesh_term, mesh_type from ctgov.browse_conditions",
    arm_links: "select l.nct_id, i.intervention_type, i.name, g.title, g.group_type"
    " from ctgov.design_group_interventions l join ctgov.interventions i on i.id = l.intervention_id"
    " left join ctgov.design_groups g on g.id = l.design_group_id",
    studies: "select nct_id, official_title, overall_status, phase, enrollment, number_of_arms, number_of_groups,"
    " start_month_year, start_date, completion_date, verification_date, results_first_posted_date, has_dmc"
    " from ctgov.studies",
    calculated_values: "select nct_id, number_of_facilities, has_us_facility, has_single_facility, actual_duration,"
    " months_to_report_results, minimum_age_num, minimum_age_unit, number_of_primary_outcomes_to_measure,"
    " were_results_reported, number_of_sae_subjects from ctgov.calculated_values",
}


# Tables whose rows are the elements of lists at these paths: only counted.
COUNTED = {
    "keywords": ("protocolSection.conditionsModule.keywords",),
    "interventions": ("protocolSection.armsInterventionsModule.interventions",),
    "design_groups": ("protocolSection.armsInterventionsModule.armGroups",),
    "study_references": ("protocolSection.referencesModule.references",),
    "browse_interventions": tuple(f"derivedSection.interventionBrowseModule.{key}" for key in ("meshes", "ancestors")),
    "designs": ("protocolSection.designModule.designInfo",),
    "eligibilities": ("protocolSection.eligibilityModule",),
    "brief_summaries": ("protocolSection.descriptionModule.briefSummary",),
    "detailed_descriptions": ("protocolSection.descriptionModule.detailedDescription",),
    "id_information": tuple(
        f"protocolSection.identificationModule.{key}" for key in ("nctIdAliases", "orgStudyIdInfo", "secondaryIdInfos")
    ),
}


def count(record: Record, paths: tuple[str, ...]) -> int:
    """Number of elements at the paths; what is not a list is one."""
    values = [dig(record, path) for path in paths]
    return sum(len(value) if isinstance(value, list) else 1 for value in values if value is not None)


def read(reading: Any, records: Mapping[str, Record]) -> Counter[Row]:
    """The rows that a reading gives of all records, each with its nct_id first."""
    return Counter((nct_id, *row) for nct_id, record in records.items() for row in reading(record))
