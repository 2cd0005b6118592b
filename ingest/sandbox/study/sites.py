"""The modules of `protocolSection` on where and who: contacts and locations, references, data sharing."""

from functools import lru_cache
from typing import Any

import orjson

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.organizations import email, person, phone
from ingest.sandbox.vocabulary import City, cities, phrases

Module = dict[str, Any]
_ANONYMOUS = ("Research Site", "Investigational Site", "Clinical Trial Site", "Local Institution", "Study Site")
_SITE_STATUS = Weighted(
    [
        ("RECRUITING", 0.68),
        ("NOT_YET_RECRUITING", 0.22),
        ("ACTIVE_NOT_RECRUITING", 0.04),
        ("COMPLETED", 0.03),
        ("WITHDRAWN", 0.02),
        ("SUSPENDED", 0.01),
    ]
)


def contacts_locations(facts: Facts, draw: Draw) -> Module:
    module: Module = {}
    # Drawn first: what an update adds must not move the sites that were there before.
    locations = _locations(facts, draw) if facts.sites else []
    for _ in range(facts.revision):
        draw.unit()  # an update brings other contacts
    if facts.is_open and draw.chance(0.85):
        module["centralContacts"] = [_contact(draw, "CONTACT") for _ in range(1 if draw.chance(0.5) else 2)]
    if draw.chance(0.74):
        module["overallOfficials"] = [_official(facts, draw) for _ in range(1 + draw.count(0.2, 1.1, 12))]
    if locations:
        module["locations"] = locations
    return module


def _contact(draw: Draw, role: str) -> Module:
    name = person(draw)
    contact = {"name": name, "role": role, "phone": phone(draw)}
    if draw.chance(0.1):
        contact["phoneExt"] = str(draw.whole(10, 9999))
    if draw.chance(0.95):
        contact["email"] = email(draw, name)
    return contact


def _official(facts: Facts, draw: Draw) -> Module:
    name = f"{person(draw)}, {draw.pick(('MD', 'PhD', 'MD, PhD', 'Prof.'))}"
    role = draw.pick(("PRINCIPAL_INVESTIGATOR", "PRINCIPAL_INVESTIGATOR", "STUDY_DIRECTOR", "STUDY_CHAIR"))
    return {"name": name, "affiliation": facts.lead.name, "role": role}


def _locations(facts: Facts, draw: Draw) -> list[Any]:
    """The sites; a site's status and contacts are only known while the study is open."""
    anonymous = facts.lead.agency_class == "INDUSTRY" and draw.chance(0.5)
    abroad, place = draw.chance(0.1), cities()
    home = None if abroad or facts.sites > 3 else draw.weighted(place).country
    sites = []
    for _ in range(facts.sites):
        city = draw.weighted(place)
        while home and city.country != home:
            city = draw.weighted(place)
        sites.append((city, draw.whole(0, 9) if anonymous else draw.whole(10, 19)))
    if not facts.is_open or facts.status == "NOT_YET_RECRUITING":
        status = facts.status if facts.is_open and anonymous else None
        return [_rendered_site(city, number, status) for city, number in sites]
    return [_open_site(draw, city, number) for city, number in sites]


def _open_site(draw: Draw, city: City, number: int) -> Any:
    status = draw.weighted(_SITE_STATUS)
    if draw.chance(0.45):
        return _rendered_site(city, number, status)
    return {**_site(city, number), "status": status, "contacts": _site_contacts(draw)}


def _site_contacts(draw: Draw) -> list[Module]:
    contacts = [_contact(draw, "CONTACT")]
    if draw.chance(0.35):
        contacts.append({"name": f"{person(draw)}, MD", "role": "PRINCIPAL_INVESTIGATOR"})
    return contacts


def _site(city: City, number: int) -> Module:
    """Site `number` of a city: 0-9 are anonymous (as companies register them), 10-19 hospitals."""
    site: Module = {}
    if number < 10:
        site["facility"] = (
            _ANONYMOUS[number % 5] if number < 5 else f"{_ANONYMOUS[number % 5]} {len(city.city) * 7 + number:03d}"
        )
    else:
        site["facility"] = phrases("hospital")[number - 10].format(city.city)
    site["city"] = city.city
    if city.state:
        site["state"] = city.state
    if city.zip and number % 9:
        site["zip"] = city.zip
    site["country"] = city.country
    if (number + len(city.city)) % 29:
        site["geoPoint"] = {"lat": city.lat, "lon": city.lon}
    return site


@lru_cache(maxsize=30_000)
def _rendered_site(city: City, number: int, status: str | None) -> orjson.Fragment:
    """A site as JSON: large trials list hundreds, and a city's sites are few."""
    return orjson.Fragment(orjson.dumps({**_site(city, number), **({"status": status} if status else {})}))


def references(facts: Facts, draw: Draw) -> Module:
    module: Module = {}
    if draw.chance(0.37):
        kind = ("BACKGROUND", "BACKGROUND", "BACKGROUND", "DERIVED", "RESULT")
        module["references"] = [_reference(facts, draw, draw.pick(kind)) for _ in range(1 + draw.count(2.2, 1.2, 90))]
    if facts.results_posted and facts.revision % 2:
        module.setdefault("references", []).append(_reference(facts, draw, "RESULT"))
    if draw.chance(0.107):
        module["seeAlsoLinks"] = [{"label": "Study website", "url": f"https://example.org/studies/{facts.nct_id}"}]
    if draw.chance(0.005):
        module["availIpds"] = [
            {"id": f"DS{facts.index}", "type": "Individual Participant Data Set", "url": "https://example.org/ipd"}
        ]
    return module


def _reference(facts: Facts, draw: Draw, kind: str) -> Module:
    authors = ", ".join(
        f"{draw.pick(phrases('last name'))} {draw.pick('ABCDEFGHJKLM')}" for _ in range(draw.whole(2, 7))
    )
    title, journal = draw.pick(phrases("citation")) % facts.words, draw.pick(phrases("journal"))
    issue, first_page = f"{draw.whole(1998, 2026)};{draw.whole(1, 90)}({draw.whole(1, 12)})", draw.whole(100, 4000)
    citation = f"{authors}. {title}. {journal}. {issue}:{first_page}-{first_page + 9}."
    reference = {"type": kind, "citation": citation}
    return {"pmid": str(draw.whole(90_000_000, 99_999_999)), **reference} if draw.chance(0.97) else reference


def ipd_sharing(facts: Facts, draw: Draw) -> Module:
    if not draw.chance(0.57):
        return {}
    sharing = draw.pick(("NO",) * 13 + ("YES",) * 4 + ("UNDECIDED",) * 3)
    module: Module = {"ipdSharing": sharing}
    if sharing == "YES":
        module["description"] = "Anonymised data will be shared with qualified researchers upon reasonable request."
        if draw.chance(0.6):
            module["infoTypes"] = ["STUDY_PROTOCOL", "SAP", "ICF", "CSR", "ANALYTIC_CODE"][: draw.whole(1, 5)]
            module["timeFrame"] = "Beginning 6 months after publication"
            module["accessCriteria"] = "Proposal to be approved by the steering committee"
    return module
