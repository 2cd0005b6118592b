"""One study record as it is stored: its id, its date, the hash of its content, its JSON; or why it cannot be stored."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from ingest.clinicaltrials_gov.decode import map_text

NCT_ID = re.compile(r"NCT[0-9]{8}")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T[0-9:.]+Z?)?)?)?", re.ASCII)
# jsonb cannot hold a string or an array of 256 MiB; the largest record of the registry has 1.5 MB.
_MAX_BYTES = 200 * 2**20


@dataclass(frozen=True)
class Study:
    """A record that can be stored: `payload` is canonical JSON that Postgres accepts as jsonb.

    It holds bytes rather than objects: a hundred records' objects at a time make parsing three times as slow.
    `last_update_post_date` is None where the record has none.
    """

    nct_id: str
    last_update_post_date: date | None
    content_hash: str
    payload: bytes


@dataclass(frozen=True)
class Rejected:
    """A record that cannot be stored, with the reason in words and the record as text."""

    nct_id: str | None
    reason: str
    text: str
    content_hash: str


class Malformed(Exception):
    """What is wrong with a record, in words."""


def read_study(raw: Any) -> Study | Rejected:
    """Check one element of a page's `studies`. Never raises."""
    nct_id = None
    try:
        nct_id = _nct_id(raw)
        _check_modules(raw)
        updated = _check_dates(raw["protocolSection"].get("statusModule") or {})
        return Study(nct_id, updated, content_hash(raw), canonical_json(raw))
    except Malformed as error:
        text = _as_text(raw)
        return Rejected(nct_id, str(error), text, hashlib.sha256(text.encode()).hexdigest())


def study_id(raw: Any) -> str | None:
    """The record's id; None where it has none that could be one."""
    try:
        return _nct_id(raw)
    except Malformed:
        return None


def content_hash(raw: dict[str, Any]) -> str:
    """SHA-256 of the record's canonical JSON without `versionHolder`, a stamp that the registry renews every day."""
    derived = raw.get("derivedSection")
    misc = derived.get("miscInfoModule") if isinstance(derived, dict) else None
    if not isinstance(derived, dict) or not isinstance(misc, dict) or "versionHolder" not in misc:
        return hashlib.sha256(canonical_json(raw)).hexdigest()
    stable = {key: value for key, value in misc.items() if key != "versionHolder"}
    raw = {**raw, "derivedSection": {**derived, "miscInfoModule": stable}}
    return hashlib.sha256(canonical_json(raw)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and without NUL characters, which jsonb refuses. Raises Malformed."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if b"\\u0000" in text:
            # The six bytes may also be an escaped backslash and `u0000`; only looking at the strings tells.
            text = orjson.dumps(map_text(value, _without_nul), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Malformed(f"cannot be written as JSON: {error}") from None
    if len(text) > _MAX_BYTES:
        raise Malformed(f"{len(text)} bytes are more than jsonb holds")
    return text


def _without_nul(text: str) -> str:
    return text.replace("\0", "")


def _nct_id(raw: Any) -> str:
    """The record's id. Raises Malformed."""
    value = raw
    for key in ("protocolSection", "identificationModule"):
        if not isinstance(value, dict):
            raise Malformed("the record is not an object" if value is raw else "protocolSection is not an object")
        if key not in value:
            raise Malformed(f"no {key}")
        value = value[key]
    if not isinstance(value, dict):
        raise Malformed("identificationModule is not an object")
    nct_id = value.get("nctId")
    if not isinstance(nct_id, str) or not NCT_ID.fullmatch(nct_id):
        raise Malformed("no nctId" if nct_id is None else f"nctId is {str(nct_id)[:40]!r}")
    return nct_id


def _check_modules(raw: dict[str, Any]) -> None:
    """Every section and module that is there must be an object. Raises Malformed."""
    for name, section in raw.items():
        if not name.endswith("Section"):
            continue
        if not isinstance(section, dict):
            raise Malformed(f"{name} is not an object")
        for key, module in section.items():
            if key.endswith("Module") and not isinstance(module, dict):
                raise Malformed(f"{name}.{key} is not an object")


def _check_dates(status: dict[str, Any]) -> date | None:
    """Check every date of the status module; return the one of the last update. Raises Malformed."""
    updated = None
    for key, value in status.items():
        if key.endswith("DateStruct"):
            if not isinstance(value, dict):
                raise Malformed(f"statusModule.{key} is not an object")
            value = value.get("date")
        elif not key.endswith("Date"):
            continue
        if value is None:
            continue
        parsed = _parse_date(value)
        if parsed is None:
            raise Malformed(f"statusModule.{key} is {str(value)[:40]!r}, not a date")
        if key == "lastUpdatePostDateStruct":
            updated = parsed
    return updated


def _parse_date(value: Any) -> date | None:
    """The (first) day that `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or the last with a time of day stands for."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        return date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None


def _as_text(raw: Any) -> str:
    """A malformed record as text that Postgres accepts."""
    try:
        return canonical_json(raw).decode()
    except Malformed as error:
        return f"({error})"
