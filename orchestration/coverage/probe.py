"""Finds out which columns a leaf reaches: by staging a made record, and the same record with just that leaf changed.

What the SQL says need not be read, so what is found stays true however a model is written.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from orchestration.coverage.leaves import TREE, Leaf, leaves

# Kind → value, and another. Texts that are numbers pass for texts, counts and measured values, and, all being the
# same, for ids that point at each other.
VALUES: Mapping[str, tuple[Any, Any]] = {
    "text": ("7", "8"),
    "number": (7, 8),
    "age": ("7 Years", "8 Months"),
    "boolean": (True, False),
    "date": ("2007-07-07", "2008-08-08"),
}
# Ends of paths whose value decides which columns are filled, or which of several lists a number is taken from.
DECIDING: Mapping[str, tuple[Any, Any]] = {
    "studyType": ("INTERVENTIONAL", "OBSERVATIONAL"),
    "stdAges": ("ADULT", "CHILD"),
    "whoMasked": ("PARTICIPANT", "INVESTIGATOR"),
    "uploadDate": ("2007-07-07T07:07", "2008-08-08T08:08"),
    "infoTypes": ("SAP", "ICF"),
    "measures[].denoms[].counts[].value": ("17", "18"),
    "classes[].denoms[].counts[].value": ("27", "28"),
}
SITE_CONTACT = "protocolSection.contactsLocationsModule.locations[].contacts[]"
SITE_ROLES = (("CONTACT", "PRINCIPAL_INVESTIGATOR"), ("SUB_INVESTIGATOR", "STUDY_CHAIR"))
# The end of every probe's id, which an address of a document holds besides the whole id.
ALIKE = "00"
COMPLETE = f"NCT000000{ALIKE}"
_TABLE = "create temporary table probes (nct_id text, loaded_at timestamptz, deleted_at timestamptz, payload jsonb)"
_BIGINT = 20


def record(changed: Leaf | None = None) -> dict[str, Any]:
    """A record with a value in every leaf, in lists of one element; `changed` has another value."""
    made: dict[str, Any] = {}
    for leaf in leaves():
        if leaf.kind != TREE:
            values = next((DECIDING[end] for end in DECIDING if _ends_in(leaf, end)), VALUES[leaf.kind])
            _put(made, leaf.path.split("."), values[leaf == changed])
    _add_investigator(made, changed)
    _add_rows_without_denominators(made)
    return made


def reached(connection: Connection, models: Mapping[str, str], source: str) -> dict[Leaf, list[str]]:
    """Leaf → `table.column` that changes with it; a table alone where rows of it come and go.

    `models`: table → its SQL for a full build, which reads from `source`, a relation as that SQL writes it.
    """
    changed = [None, *(leaf for leaf in leaves() if leaf.kind != TREE)]
    probes = {f"NCT{number:06}{ALIKE}": leaf for number, leaf in enumerate(changed)}
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        rows = [(name, json.dumps(record(leaf))) for name, leaf in probes.items()]
        execute_values(cursor, "insert into probes values %s", rows, "(%s, '2001-01-01Z', null, %s)")
    found: dict[str, list[str]] = {}
    for table, query in models.items():
        columns = _columns(connection, query.replace(source, "pg_temp.probes"))
        for name in probes:
            found.setdefault(name, []).extend(_differences(table, columns[COMPLETE], columns.get(name, {})))
    connection.rollback()
    return {leaf: found[name] for name, leaf in probes.items() if leaf is not None}


def _columns(connection: Connection, query: str) -> dict[str, dict[str, Counter[str]]]:
    """Study → column → its values; of keys, which hash what other columns show, only whether there is one."""
    found: dict[str, dict[str, Counter[str]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("select * from ({}) as model").format(sql.SQL(query)))
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        keys = {c.name for c in cursor.description if c.type_code == _BIGINT and c.name.split("_")[-1] == "id"}
        study = names.index("nct_id")
        for row in cursor:
            values = found.setdefault(row[study], {})
            for name, value in zip(names, row, strict=True):
                if name != "nct_id":
                    shown = str(value is None) if name in keys else repr(value).replace(row[study], "")
                    values.setdefault(name, Counter())[shown] += 1
    return found


def _differences(table: str, before: Mapping[str, Counter[str]], after: Mapping[str, Counter[str]]) -> Iterator[str]:
    sizes = [next((values.total() for values in side.values()), 0) for side in (before, after)]
    if sizes[0] != sizes[1]:
        yield table
        return
    yield from (f"{table}.{name}" for name in before if before[name] != after.get(name))


def _put(made: dict[str, Any], path: list[str], value: Any) -> None:
    """Set the value at a path, whose steps that end in `[]` are lists of one element."""
    name, rest = path[0].removesuffix("[]"), path[1:]
    if not rest:
        made[name] = [value] if path[0].endswith("[]") else value
    elif path[0].endswith("[]"):
        _put(made.setdefault(name, [{}])[0], rest, value)
    else:
        _put(made.setdefault(name, {}), rest, value)


def _ends_in(leaf: Leaf, end: str) -> bool:
    return f".{leaf.path.removesuffix('[]')}".endswith(f".{end}")


def _add_investigator(made: dict[str, Any], changed: Leaf | None) -> None:
    """A site lists two kinds of people, told apart by their role, which are staged in a table each."""
    contacts = made["protocolSection"]["contactsLocationsModule"]["locations"][0]["contacts"]
    contacts.append(dict(contacts[0]))
    is_changed = changed is not None and changed.path == f"{SITE_CONTACT}.role"
    for contact, role in zip(contacts, SITE_ROLES[is_changed], strict=True):
        contact["role"] = role


def _add_rows_without_denominators(made: dict[str, Any]) -> None:
    """A row of a table that has no denominators of its own takes them from the whole table."""
    results = made["resultsSection"]
    for table in (
        results["baselineCharacteristicsModule"]["measures"],
        results["outcomeMeasuresModule"]["outcomeMeasures"],
    ):
        rows = table[0]["classes"]
        rows.append({key: value for key, value in rows[0].items() if key != "denoms"})
