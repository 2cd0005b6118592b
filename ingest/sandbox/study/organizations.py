"""Sponsors and people, all made up: plausible institutions, fictional companies, addresses under example.org."""

from functools import cache
from typing import NamedTuple

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.vocabulary import cities, phrases

DEGREES = ("MD", "MD, PhD", "PhD", "Prof", "RN", "MSc", "M.D.", "PharmD")


class Sponsor(NamedTuple):
    name: str
    agency_class: str


SPONSOR_CLASSES = {
    True: Weighted([("OTHER", 0.62), ("OTHER_GOV", 0.02), ("NIH", 0.012), ("NETWORK", 0.006), ("FED", 0.006)]),
    False: Weighted([("OTHER", 0.66), ("OTHER_GOV", 0.022), ("NIH", 0.013), ("NETWORK", 0.006), ("INDIV", 0.003)]),
}


@cache
def companies() -> list[str]:
    """600 company names, none of them real."""
    stems = [first + last for last in phrases("company ending") for first in phrases("company stem")]
    return [f"{stem} {phrases('company form')[k % len(phrases('company form'))]}" for k, stem in enumerate(stems)]


@cache
def academics() -> list[str]:
    """Some 1,500 names of universities and hospitals, the large cities first."""
    names = [city.city for city in sorted(cities().values, key=lambda c: c.city)]
    return [form.format(name) for form in phrases("academic sponsor") for name in names[:: 1 + len(form) % 3]]


_PUBLIC = {
    "OTHER_GOV": [
        "Ministry of Health, Republic of Arvenia",
        "National Health Research Council",
        "Region Nordvest",
        "Provincial Health Authority of Alta Costa",
        "City Department of Public Health",
    ],
    "NIH": ["National Institute of Synthetic Studies (NISS)", "National Institute of Example Diseases (NIED)"],
    "NETWORK": ["Intercontinental Oncology Cooperative Group", "Pediatric Heart Network Example"],
    "FED": ["Federal Department of Veterans Health", "Federal Medical Research Command"],
}


def sponsor(draw: Draw, industry: bool, is_drug: bool) -> Sponsor:
    """A lead sponsor. A few sponsors lead many studies, most lead few, as in the registry."""
    if industry:
        return Sponsor(_skewed(draw, companies()), "INDUSTRY")
    agency_class = draw.weighted(SPONSOR_CLASSES[is_drug])
    if agency_class == "OTHER":
        return Sponsor(_skewed(draw, academics()), agency_class)
    if agency_class == "INDIV":
        return Sponsor(
            f"{draw.pick(phrases('last name'))}, {draw.pick(phrases('first name'))}, {draw.pick(DEGREES)}", agency_class
        )
    return Sponsor(draw.pick(_PUBLIC[agency_class]), agency_class)


def collaborator(draw: Draw) -> Sponsor:
    return sponsor(draw, draw.chance(0.35), True)


def person(draw: Draw) -> str:
    return f"{draw.pick(phrases('first name'))} {draw.pick(phrases('last name'))}"


def phone(draw: Draw) -> str:
    """A number of the range that is kept free for fiction."""
    digits = draw.whole(0, 99)
    return draw.pick(("555-01{:02d}", "+1 555 01{:02d}", "(555) 555-01{:02d}", "+44 1632 9600{:02d}")).format(digits)


def email(draw: Draw, name: str) -> str:
    ascii_name = "".join(c for c in name.lower() if c.isascii() and (c.isalnum() or c == " "))
    return f"{ascii_name.strip().replace(' ', '.')}@example.{draw.pick(('org', 'com', 'net'))}"


def _skewed(draw: Draw, names: list[str]) -> str:
    return names[int(draw.unit() ** 2.5 * len(names))]
