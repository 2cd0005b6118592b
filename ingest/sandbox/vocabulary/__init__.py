"""What studies are about: conditions, interventions, MeSH descriptors, places. Facts, read from the CSV files here.

`mesh_descriptors.csv` holds id, term and ancestors as the registry's derived sections give them; `cities.csv`
coordinates as the registry geocodes; `api_fields.csv` the registry's own data structure (piece, path, kind).
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ingest.sandbox.draws import Weighted

_HERE = Path(__file__).parent


class Descriptor(NamedTuple):
    """A MeSH descriptor or supplementary concept."""

    mesh_id: str
    term: str
    ancestors: tuple[str, ...]


class Condition(NamedTuple):
    """A condition: the names that registrants give it, and its MeSH id ('' where MeSH has none)."""

    area: str
    mesh_id: str
    names: tuple[str, ...]


class Intervention(NamedTuple):
    """Something that is tested: `kind` is the registry's InterventionType, `mesh_id` is '' where MeSH has none."""

    kind: str
    name: str
    mesh_id: str
    other_names: tuple[str, ...]
    regimen: str


class City(NamedTuple):
    country: str
    city: str
    state: str
    zip: str
    lat: float
    lon: float


def _rows(name: str) -> list[dict[str, str]]:
    with open(_HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("; ") if part)


@cache
def descriptors() -> dict[str, Descriptor]:
    """MeSH descriptors by id."""
    rows = _rows("mesh_descriptors.csv")
    return {r["mesh_id"]: Descriptor(r["mesh_id"], r["term"], tuple(r["ancestors"].split())) for r in rows}


@cache
def conditions() -> Weighted[Condition]:
    """All conditions, weighted by how often they are studied."""
    return Weighted(
        (Condition(r["area"], r["mesh_id"], _split(r["names"])), float(r["weight"])) for r in _rows("conditions.csv")
    )


@cache
def conditions_of(area: str) -> list[Condition]:
    return [condition for condition in conditions().values if condition.area == area]


@cache
def _interventions() -> list[tuple[Intervention, tuple[str, ...]]]:
    return [
        (Intervention(r["type"], r["name"], r["mesh_id"], _split(r["other_names"]), r["regimen"]), _split(r["areas"]))
        for r in _rows("interventions.csv")
    ]


@cache
def interventions_of(area: str, kind: str) -> list[Intervention]:
    """The interventions of one kind that are tested in an area; of the whole registry where the area has none."""
    every = [(item, areas) for item, areas in _interventions() if item.kind == kind]
    own = [item for item, areas in every if area in areas or "*" in areas]
    return own or [item for item, _ in every]


@cache
def cities() -> Weighted[City]:
    """Cities, weighted by their number of study sites."""
    return Weighted(
        (City(r["country"], r["city"], r["state"], r["zip"], float(r["lat"]), float(r["lon"])), float(r["weight"]))
        for r in _rows("cities.csv")
    )


@cache
def phrases(bank: str) -> tuple[str, ...]:
    """Sentences, titles, names, units: one of the banks in `phrases.csv`. `%(c)s` is a condition, `%(d)s` what is
    tested, `%(o)s` what it is compared with, `%(n)s` a number."""
    found = tuple(r["text"] for r in _rows("phrases.csv") if r["bank"] == bank)
    return phrases("summary") + found if bank == "detail" else found


@cache
def stop_phrases(kind: str) -> dict[str, tuple[str, ...]]:
    """The texts of one kind by stop reason: `short` and `sentence` stand alone, a `cause` follows an `opening`."""
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows("stop_phrases.csv"):
        if row["kind"] == kind:
            found[row["reason"]] = (*found.get(row["reason"], ()), row["text"])
    return found


@cache
def adverse_events() -> list[tuple[str, str]]:
    """(term, organ system) of adverse events, in MedDRA's words."""
    return [(r["term"], r["organ_system"]) for r in _rows("adverse_events.csv")]


class ApiField(NamedTuple):
    """A node of the registry's data structure. `kind`: date, number, age, boolean, text or struct."""

    piece: str
    path: str
    kind: str


@cache
def api_fields() -> list[ApiField]:
    return [ApiField(r["piece"], r["path"], r["kind"]) for r in _rows("api_fields.csv")]
