"""The query parameters of `/studies`, checked as the API checks them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.essie import And, Node, Or, Term, parse
from ingest.sandbox.api.fields import Place, locate

MAX_PAGE_SIZE = 1000
DEFAULT_PAGE_SIZE = 10
STATUSES = frozenset(
    [
        "ACTIVE_NOT_RECRUITING",
        "COMPLETED",
        "ENROLLING_BY_INVITATION",
        "NOT_YET_RECRUITING",
        "RECRUITING",
        "SUSPENDED",
        "TERMINATED",
        "WITHDRAWN",
        "AVAILABLE",
        "NO_LONGER_AVAILABLE",
        "TEMPORARILY_NOT_AVAILABLE",
        "APPROVED_FOR_MARKETING",
        "WITHHELD",
        "UNKNOWN",
    ]
)
_QUERY_AREAS = {
    "query.cond": "ConditionSearch",
    "query.term": "BasicSearch",
    "query.intr": "InterventionSearch",
    "query.titles": "TitleSearch",
    "query.spons": "SponsorSearch",
    "query.lead": "LeadSponsorName",
    "query.id": "IdSearch",
    "query.locn": "LocationSearch",
    "query.outc": "OutcomeSearch",
    "query.patient": "PatientSearch",
}
_FILTERS = tuple(f"{kind}.{name}" for kind in ("filter", "postFilter") for name in ("overallStatus", "ids", "advanced"))
_PLAIN = ("format", "markupFormat", "fields", "sort", "countTotal", "pageSize", "pageToken")
_UNSUPPORTED = frozenset(
    {"aggFilters", "geoDecay", "filter.geo", "filter.synonyms", "postFilter.geo", "postFilter.synonyms"}
)
_KNOWN = frozenset((*_QUERY_AREAS, *_FILTERS, *_PLAIN, *_UNSUPPORTED))
_NCT = re.compile(r"NCT0*([1-9]\d{0,7})", re.IGNORECASE)
_FREE = frozenset({"countTotal", "pageSize", "pageToken"})


class Sort(NamedTuple):
    """One sorting option; `name` is '' for relevance, which here is the order of registration."""

    name: str
    descending: bool


class StudiesQuery(NamedTuple):
    """A checked request. `fields` is None for whole records; `ids` is None for any study.

    `fingerprint` holds what must be the same for every page of one crawl.
    """

    conditions: tuple[Node, ...]
    ids: tuple[str, ...] | None
    fields: tuple[Place, ...] | None
    sort: Sort
    count_total: bool
    page_size: int
    page_token: str | None
    fingerprint: tuple[tuple[str, str], ...]


def studies_query(given: Iterable[tuple[str, str]]) -> StudiesQuery:
    """The request that these query parameters make. Raises BadRequest."""
    params = single_values(given, _KNOWN)
    if unsupported := sorted(_UNSUPPORTED & params.keys()):
        raise BadRequest(f"`{unsupported[0]}` is not supported by the sandbox")
    check_format(params)
    ids = [_ids(params[name], name) for name in _FILTERS if name.endswith(".ids") and params.get(name)]
    conditions = [node for name in _FILTERS if params.get(name) and (node := _filter(name, params[name]))]
    for name, area in _QUERY_AREAS.items():
        if text := params.get(name, "").strip():
            if only := _only_ids(text):
                # "If any query parameter contains only NCT IDs, filters are ignored."
                ids, conditions = [only], []
                break
            conditions.append(parse(text, area))
    wanted = None if not ids else tuple(dict.fromkeys(i for i in ids[0] if all(i in other for other in ids[1:])))
    return StudiesQuery(
        tuple(conditions),
        wanted,
        field_list(params),
        _sort(params.get("sort", "")),
        _boolean(params, "countTotal"),
        _page_size(params.get("pageSize", "")),
        params.get("pageToken") or None,
        tuple(sorted((name, value) for name, value in params.items() if name not in _FREE)),
    )


def single_values(given: Iterable[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    """Parameters by name. Raises BadRequest for an unknown or repeated one."""
    params: dict[str, str] = {}
    for name, value in given:
        if name not in known:
            raise BadRequest(f"`{name}` is unknown parameter")
        if name in params:
            raise BadRequest(f"Parameter '{name}' is given more than once")
        params[name] = value
    return params


def check_format(params: dict[str, str]) -> None:
    if params.get("format", "json") == "csv":
        raise BadRequest("format `csv` is not supported by the sandbox")
    for name, allowed in (("format", ("json",)), ("markupFormat", ("markdown", "legacy"))):
        if params.get(name, allowed[0]) not in allowed:
            raise BadRequest(f"Invalid value in parameter {name}")


def field_list(params: dict[str, str]) -> tuple[Place, ...] | None:
    """The fields to give; pieces, areas and paths, in any case. Raises BadRequest for an unknown or missing name."""
    if "fields" not in params:
        return None
    names = _split(params["fields"])
    if not names:
        raise BadRequest("Parameter 'fields' must not be empty")
    places: list[Place] = []
    for name in names:
        found = locate(name)
        if found is None:
            raise BadRequest(f"Parameter 'fields' contains invalid field name: '{name}'")
        places += found
    return tuple(dict.fromkeys(places))


def nct_number(text: str) -> str | None:
    """`nct1234` as the registry writes it, `NCT00001234`; None for what is no NCT id."""
    match = _NCT.fullmatch(text.strip())
    return f"NCT{int(match[1]):08d}" if match else None


def _split(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,|]", value) if part.strip()]


def _filter(name: str, value: str) -> Node | None:
    kind = name.split(".")[1]
    if kind == "advanced":
        return parse(value)
    if kind == "ids":
        return None
    statuses = _split(value)
    if not statuses or not STATUSES.issuperset(statuses):
        raise BadRequest("Invalid value in parameter overallStatus")
    return Or(tuple(Term(status, "OverallStatus") for status in statuses))


def _ids(value: str, name: str) -> tuple[str, ...]:
    numbers = [nct_number(part) for part in _split(value)]
    if not numbers or None in numbers:
        raise BadRequest(f"Invalid value in parameter {name.split('.')[1]}")
    return tuple(number for number in numbers if number)


def _only_ids(text: str) -> tuple[str, ...]:
    numbers = [nct_number(part) for part in re.split(r"[,\s]+", text) if part]
    return tuple(number for number in numbers if number) if all(numbers) else ()


def _sort(value: str) -> Sort:
    """The first sorting option: further ones would only order studies that are equal in it."""
    options = _split(value)
    if len(options) > 2:
        raise BadRequest("Parameter 'sort' takes at most 2 values")
    parsed = []
    for option in options:
        name, _, direction = option.partition(":")
        places = [Place((), "number")] if name == "@relevance" else locate(name)
        if places is None or direction not in ("", "asc", "desc"):
            raise BadRequest(f"Parameter 'sort' contains invalid value: '{option}'")
        if len(places) != 1 or (places[0].kind not in ("date", "number") and name != "NCTId"):
            raise BadRequest(f"Parameter 'sort' contains field that is not sortable: '{name}'")
        by_default = places[0].kind == "date"
        parsed.append(
            Sort("" if name in ("@relevance", "NCTId") else name, direction == "desc" or (not direction and by_default))
        )
    if not parsed or parsed[0].name == "":
        return Sort("", bool(options) and options[0] == "NCTId:desc")
    return parsed[0]


def _boolean(params: dict[str, str], name: str) -> bool:
    value = params.get(name) or "false"
    if value not in ("true", "false"):
        raise BadRequest(f"Invalid value in parameter {name}")
    return value == "true"


def _page_size(value: str) -> int:
    """Not given or 0: the default; too many: as many as there may be."""
    if not value:
        return DEFAULT_PAGE_SIZE
    if not re.fullmatch(r"[+-]?\d{1,9}", value) or int(value) < 0:
        raise BadRequest("Invalid value in parameter pageSize")
    return min(int(value) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def all_of(conditions: tuple[Node, ...]) -> Node | None:
    """The conditions as one, with nested ANDs laid flat, so that a date range is found wherever it stands."""
    parts: list[Node] = []
    for node in conditions:
        parts += node.parts if isinstance(node, And) else (node,)
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
