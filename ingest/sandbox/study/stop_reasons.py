"""Why studies stop, in the words of registrants: a grammar over the 17 classes of Open Targets.

A third of the texts are short and common ("Slow accrual"); the rest are put together from an opening, a cause with
numbers, names and dates in it, and sometimes a second cause or a closing remark, so most of them occur once.
"""

from datetime import date
from typing import NamedTuple

from ingest.sandbox.draws import Draw, Weighted
from ingest.sandbox.study.organizations import DEGREES, academics, companies
from ingest.sandbox.vocabulary import phrases, stop_phrases

# Shares among stopped studies, after the registry's; covid19 only in its years (see `_class`).
SHARES = Weighted(
    [
        ("insufficient_enrollment", 0.37),
        ("business_administrative", 0.25),
        ("negative", 0.065),
        ("study_design", 0.055),
        ("logistics_resources", 0.045),
        ("study_staff_moved", 0.04),
        ("safety_sideeffects", 0.037),
        ("regulatory", 0.03),
        ("no_context", 0.022),
        ("invalid_reason", 0.02),
        ("another_study", 0.02),
        ("interim_analysis", 0.012),
        ("endpoint_met", 0.012),
        ("insufficient_data", 0.01),
        ("ethical_reason", 0.005),
        ("success", 0.004),
    ]
)
WITHDRAWN_SHARES = Weighted(
    [
        ("business_administrative", 0.42),
        ("insufficient_enrollment", 0.28),
        ("logistics_resources", 0.07),
        ("study_staff_moved", 0.06),
        ("regulatory", 0.06),
        ("study_design", 0.06),
        ("no_context", 0.02),
        ("invalid_reason", 0.02),
        ("another_study", 0.01),
    ]
)
_SECOND = {
    "insufficient_enrollment": ("business_administrative", "study_staff_moved", "logistics_resources", "covid19"),
    "business_administrative": ("insufficient_enrollment", "logistics_resources"),
    "logistics_resources": ("business_administrative", "insufficient_enrollment"),
    "covid19": ("insufficient_enrollment", "logistics_resources"),
    "study_staff_moved": ("insufficient_enrollment", "business_administrative"),
}
_PANDEMIC = (date(2020, 3, 1).toordinal(), date(2022, 6, 1).toordinal())
_TYPOS = (
    ("recruitment", "recruitement"),
    ("enrollment", "enrolment"),
    ("insufficient", "insufficent"),
    ("participants", "particpants"),
    ("terminated", "terminted"),
    ("investigator", "investigater"),
    ("sponsor", "sponser"),
    ("patients", "pts"),
    ("due to", "due ot"),
    ("because", "becuase"),
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class StopReason(NamedTuple):
    """A text and what it says: `second` is the second reason's class, or None."""

    text: str
    reason: str
    second: str | None

    @classmethod
    def drawn(cls, draw: Draw, status: str, enrolled: int, ended: int, agency_class: str) -> "StopReason":
        """The reason why a study of this status, enrollment and last day (an ordinal) stopped."""
        reason = _class(draw, status, ended)
        words = _words(draw, enrolled, ended, agency_class)
        short, sentences, causes = (stop_phrases(kind) for kind in ("short", "sentence", "cause"))
        if draw.chance(0.34) and reason in short:
            # The first of a list are the most common by far.
            return cls(_worn(draw, short[reason][int(draw.unit() ** 2 * len(short[reason]))]), reason, None)
        if draw.chance(0.3) and reason in sentences:
            return cls(_worn(draw, draw.pick(sentences[reason]) % words), reason, None)
        text, second = draw.pick(stop_phrases("opening")[""]) + draw.pick(causes[reason]) % words, None
        if reason in _SECOND and draw.chance(0.12):
            second = draw.pick(_SECOND[reason])
            text += draw.pick((" and ", ", ", " as well as ", "; also ")) + draw.pick(causes[second]) % words
        if draw.chance(0.25):
            text += ". " + draw.pick(stop_phrases("closing")[""]) % words
        return cls(_worn(draw, _dot(draw, text[:1].upper() + text[1:])), reason, second)


def _class(draw: Draw, status: str, ended: int) -> str:
    if _PANDEMIC[0] <= ended <= _PANDEMIC[1] and draw.chance(0.24):
        return "covid19"
    return draw.weighted(WITHDRAWN_SHARES if status == "WITHDRAWN" else SHARES)


def _words(draw: Draw, enrolled: int, ended: int, agency_class: str) -> dict[str, str | int]:
    when = date.fromordinal(ended)
    own = companies() if agency_class == "INDUSTRY" else academics()
    return {
        "n": enrolled,
        "target": max(enrolled * draw.whole(2, 9), 20),
        "months": draw.whole(3, 36),
        "year": when.year,
        "date": f"{_MONTHS[when.month - 1]} {when.day}, {when.year}" if draw.chance(0.5) else when.strftime("%d/%m/%Y"),
        "sponsor": draw.pick(own),
        "company": draw.pick(companies()),
        "site": draw.pick(academics()),
        "pi": f"Dr. {draw.pick(phrases('last name'))}",
        "name": f"{draw.pick(phrases('last name'))}, {draw.pick(DEGREES)}",
        "percent": draw.whole(11, 64),
        "code": f"{draw.pick(('ABX', 'VLT', 'QR', 'ZEN', 'TRV'))}-{draw.whole(100, 999)}",
        "nct": f"NCT9{draw.whole(0, 9_999_999):07d}",
    }


def _dot(draw: Draw, text: str) -> str:
    return text if text.endswith(".") or draw.chance(0.5) else text + "."


def _worn(draw: Draw, text: str) -> str:
    """The text as people type: capitals or none, typos, curly quotes, dashes, stray spaces."""
    roll = draw.unit()
    if roll < 0.1:
        text = text[:1].lower() + text[1:]
    elif roll < 0.12:
        text = text.upper()
    elif roll < 0.17:
        right, wrong = draw.pick(_TYPOS)
        text = text.replace(right, wrong)
    elif roll < 0.2:
        text = text.replace("'", "\u2019").replace(" - ", " \u2013 ").replace("<", "\u2264")
    elif roll < 0.22:
        text = text.replace(". ", ".  ") + " "
    return text[:250]
