"""The names of the registry's data structure: pieces (`LeadSponsorName`), paths, and what a study holds there."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from ingest.sandbox.vocabulary import ApiField, api_fields

# The registry's search areas, as far as they are worth having: pieces that are searched together.
AREAS: dict[str, tuple[str, ...]] = {
    "ConditionSearch": (
        "Condition",
        "BriefTitle",
        "OfficialTitle",
        "ConditionMeshTerm",
        "ConditionAncestorTerm",
        "Keyword",
    ),
    "InterventionSearch": (
        "InterventionName",
        "InterventionType",
        "InterventionOtherName",
        "InterventionMeshTerm",
        "ArmGroupLabel",
        "InterventionAncestorTerm",
        "Keyword",
        "BriefTitle",
        "OfficialTitle",
    ),
    "TitleSearch": ("BriefTitle", "OfficialTitle", "Acronym"),
    "SponsorSearch": ("LeadSponsorName", "CollaboratorName", "OrgFullName"),
    "LocationSearch": ("LocationCity", "LocationState", "LocationCountry", "LocationFacility", "LocationZip"),
    "OutcomeSearch": ("PrimaryOutcomeMeasure", "SecondaryOutcomeMeasure", "OtherOutcomeMeasure"),
    "IdSearch": ("NCTId", "NCTIdAlias", "OrgStudyId", "SecondaryId", "Acronym"),
    "PatientSearch": ("Condition", "BriefTitle", "OfficialTitle", "EligibilityCriteria", "InterventionName", "Keyword"),
}
_BASIC = ("IdSearch", "ConditionSearch", "InterventionSearch", "SponsorSearch", "OutcomeSearch", "LocationSearch")
AREAS["BasicSearch"] = (
    *dict.fromkeys(piece for area in _BASIC for piece in AREAS[area]),
    *("BriefSummary", "OverallStatus", "Phase", "StudyType", "WhyStopped"),
)


class Place(NamedTuple):
    """Where a field lives: its path from the study's root, and the kind of its values."""

    path: tuple[str, ...]
    kind: str


@cache
def _by_name() -> dict[str, ApiField]:
    """Fields by piece, by path and by the path's last part, in that order of preference; case does not matter."""
    known = {field.piece.lower(): field for field in api_fields()}
    for field in api_fields():
        known.setdefault(field.path.lower(), field)
    for field in api_fields():
        known.setdefault(field.path.rsplit(".", 1)[-1].lower(), field)
    return known


def locate(name: str) -> list[Place] | None:
    """Where a piece, path, field or search area is found; None for an unknown name."""
    if name in AREAS:
        return [place for piece in AREAS[name] for place in locate(piece) or ()]
    field = _by_name().get(name.lower())
    return [Place(tuple(field.path.split(".")), field.kind)] if field else None


def modules_of(places: list[Place]) -> frozenset[str]:
    """The modules that must be there to read these places; a whole section stands for all its modules."""
    names: set[str] = set()
    for place in places:
        if len(place.path) > 1:
            names.add(place.path[1])
        else:
            names.update(
                f.path.split(".")[1]
                for f in api_fields()
                if f.path.count(".") == 1 and f.path.startswith(place.path[0])
            )
    return frozenset(names)


def values(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The leaf values at a path; lists on the way are entered, other shapes than expected hold nothing."""
    if isinstance(node, list):
        for item in node:
            yield from values(item, path)
    elif path:
        if isinstance(node, dict) and path[0] in node:
            yield from values(node[path[0]], path[1:])
    elif isinstance(node, dict):
        for item in node.values():
            yield from values(item, ())
    elif node is not None:
        yield node


def project(study: Any, places: list[Place]) -> Any:
    """The study with only these fields; lists keep their items, branches that hold none of the fields go."""
    if not isinstance(study, dict):
        return study
    wanted: dict[str, Any] = {}
    for place in places:
        branch = wanted
        for part in place.path[:-1]:
            if branch is not None:
                branch = branch.setdefault(part, {})
        if branch is not None:
            branch[place.path[-1]] = None
    return _keep(study, wanted)


def _keep(node: Any, wanted: dict[str, Any] | None) -> Any:
    if wanted is None:
        return node
    if isinstance(node, list):
        return [kept for item in node if (kept := _keep(item, wanted))]
    if not isinstance(node, dict):
        return None
    kept = {name: _keep(node[name], below) for name, below in wanted.items() if name in node}
    return {name: value for name, value in kept.items() if value not in (None, {}, [])}
