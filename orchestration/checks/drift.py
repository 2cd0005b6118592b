"""Fields that the registry gives and this project does not know: which, and how many studies carry each.

What is found is kept by study (`checks.unknown_fields`), so a night reads only what changed since the last one, and a
field goes when the last study that carried it does, or when a release of this project knows it.
"""

import json
from collections.abc import Iterable

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from orchestration.checks.verdicts import Verdict
from orchestration.coverage.leaves import Leaf, known_keys, leaves
from orchestration.wording import counted

KNOWN_FIELDS = "known_fields"
# Studies that one examination reads at most, some 10 s of work: of more that are new at once a sample is read.
MOST = 5_000
_LOADED = "select to_regclass('raw_ctgov.studies') is not null"
_WINDOW = """
select coalesce((select read_until from checks.unknown_fields_read), '-infinity'), max(loaded_at), count(*)
from raw_ctgov.studies
where loaded_at > coalesce((select read_until from checks.unknown_fields_read), '-infinity')
"""
_STRUCTS = "create temporary table known_structs (path text, query jsonpath, known jsonb) on commit drop"
_FORGET = """
delete from checks.unknown_fields
where nct_id in (select nct_id from raw_ctgov.studies where loaded_at > %(after)s and loaded_at <= %(until)s)
"""
# `payload || '{}'` and `offset 0`: the document is decompressed once, not once for each of the objects.
_FIND = """
with studies as (
    select nct_id, payload || '{}' as payload from raw_ctgov.studies
    where loaded_at > %(after)s and loaded_at <= %(until)s and abs(hashtext(nct_id)::bigint) %% %(every)s = 0
    offset 0
)
insert into checks.unknown_fields (path, nct_id)
select distinct concat_ws('.', nullif(struct.path, ''), field.key #>> '{}'), studies.nct_id
from studies
cross join known_structs as struct
cross join lateral jsonb_path_query(studies.payload, struct.query, struct.known, true) as field (key)
"""
_READ = """
insert into checks.unknown_fields_read (read_until) values (%(until)s)
on conflict (the_only_row) do update set read_until = excluded.read_until
"""
_FOUND = "select path, count(*) from checks.unknown_fields group by path order by 2 desc, 1"


def examine_fields(connection: Connection, known: Iterable[Leaf] | None = None) -> Verdict:
    """Read what changed since the last time, and say which fields are unknown. A warning at most, never an error."""
    known = list(leaves() if known is None else known)
    every = 1
    with connection, connection.cursor() as cursor:
        cursor.execute(_LOADED)
        if cursor.fetchone() == (False,):
            return Verdict(KNOWN_FIELDS, True, "nothing is loaded yet")
        cursor.execute(_WINDOW)
        after, until, changed = cursor.fetchone() or (None, None, 0)
        if changed:
            every = -(-changed // MOST)
            window = {"after": after, "until": until, "every": every}
            cursor.execute(_STRUCTS)
            execute_values(cursor, "insert into known_structs values %s", _structs(known))
            for statement in (_FORGET, _FIND, _READ):
                cursor.execute(statement, window)
        cursor.execute(_FOUND)
        found = [(path, studies) for path, studies in cursor.fetchall() if not _is_known(path, known)]
    return _verdict(found, every)


def _structs(known: list[Leaf]) -> list[tuple[str, str, str]]:
    """Path of each object, the JSON path to those of its keys that are not known, and those that are."""
    rows = []
    for path, keys in known_keys(known).items():
        steps = "".join(f'."{name}"' for name in path.split(".") if name)
        query = f'$ {steps} ? (@.type() == "object").keyvalue() ? (!(@.key == $known[*])).key'
        rows.append((path, query, json.dumps({"known": sorted(keys)})))
    return rows


def _is_known(path: str, known: list[Leaf]) -> bool:
    parent, _, name = path.rpartition(".")
    return name in known_keys(known).get(parent, ())


def _verdict(found: list[tuple[str, int]], every: int) -> Verdict:
    numbers = {path: studies for path, studies in found}
    sample = f" (of one study in {every} that were new at once)" if every > 1 else ""
    if not found:
        return Verdict(KNOWN_FIELDS, True, f"every field of what changed is known{sample}")
    told = ", ".join(f"{path} in {counted(studies, 'study', 'studies')}" for path, studies in found[:20])
    more = f", and {len(found) - 20} more" if len(found) > 20 else ""
    text = f"fields that are not staged, nor listed in orchestration/coverage/leaves.csv: {told}{more}{sample}"
    return Verdict(KNOWN_FIELDS, False, text, "WARN", numbers)
