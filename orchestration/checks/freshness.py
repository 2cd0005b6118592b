"""How old the sources are, by the bounds that dbt's `freshness` gives them, and whether staging has caught up.

`dbt source freshness` reads the same bounds; it takes dbt's start, 5 s, for what is one query here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from orchestration.checks.verdicts import Verdict

FRESHNESS, UP_TO_DATE = "freshness", "up_to_date"
# From one nightly run to the next, and the time that a long one takes.
_CATCH_UP = timedelta(hours=30)


@dataclass(frozen=True)
class SourceFreshness:
    """A dbt source's bounds, and the query that gives the time its rows are from."""

    unique_id: str
    relation: str
    loaded_at: str
    warn_after: timedelta | None
    error_after: timedelta | None


def sources(manifest: Mapping[str, Any]) -> list[SourceFreshness]:
    """The sources of a dbt manifest that have freshness bounds."""
    return [_source(node) for node in manifest["sources"].values() if _after(node, "error") or _after(node, "warn")]


def age_verdicts(connection: Connection, found: Iterable[SourceFreshness]) -> Iterator[tuple[SourceFreshness, Verdict]]:
    """Judge each source by its age, all of them asked in one statement."""
    found = list(found)
    if not found or not _all_exist(connection, found):
        missing = "nothing is loaded yet: `bioloupe refresh` loads"
        yield from ((source, Verdict(FRESHNESS, False, missing, "WARN")) for source in found)
        return
    ages = ", ".join(f"({source.loaded_at})::timestamptz" for source in found)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select now(), {ages}")
        row = cursor.fetchone()
    assert row is not None
    for source, loaded_at in zip(found, row[1:], strict=True):
        yield source, _age(source, loaded_at, row[0])


def staging_verdicts(connection: Connection, relations: Iterable[str], watermarks: str) -> dict[str, Verdict]:
    """Whether each staging table has read all that is loaded; `watermarks` is dbt's table of how far each has read."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s), to_regclass('raw_ctgov.studies')", (watermarks,))
        if None in (cursor.fetchone() or (None,)):
            return {name: Verdict(UP_TO_DATE, False, "nothing is staged yet", "WARN") for name in relations}
        read = sql.SQL("select relation, loaded_until from {}").format(sql.Identifier(*watermarks.split(".")))
        cursor.execute(read)
        read_until = dict(cursor.fetchall())
        cursor.execute("select max(loaded_at), now() from raw_ctgov.studies")
        newest, now = cursor.fetchone() or (None, None)
    return {name: _caught_up(read_until.get(name), newest, now) for name in relations}


def _caught_up(read_until: datetime | None, newest: datetime | None, now: datetime | None) -> Verdict:
    if newest is None or now is None or (read_until is not None and read_until >= newest):
        return Verdict(UP_TO_DATE, True, "all that is loaded is staged")
    behind = f"{_told(now - newest)} ago studies were loaded that are not staged yet: `bioloupe refresh` goes on"
    return Verdict(UP_TO_DATE, False, behind, "ERROR" if now - newest > _CATCH_UP else "WARN")


def _age(source: SourceFreshness, loaded_at: datetime | None, now: datetime) -> Verdict:
    if loaded_at is None:
        return Verdict(FRESHNESS, False, "there is no row that tells a time", "WARN")
    age = now - loaded_at
    numbers = {"age_hours": round(age.total_seconds() / 3600, 1)}
    for bound, severity in ((source.error_after, "ERROR"), (source.warn_after, "WARN")):
        if bound is not None and age > bound:
            text = f"{_told(age)} old, more than the {_told(bound)} that dbt's freshness allows"
            return Verdict(FRESHNESS, False, text, "ERROR" if severity == "ERROR" else "WARN", numbers)
    return Verdict(FRESHNESS, True, f"{_told(age)} old", numbers=numbers)


def _source(node: Mapping[str, Any]) -> SourceFreshness:
    relation = f"{node['schema']}.{node['identifier']}"
    condition = (node["freshness"] or {}).get("filter")
    where = f" where {condition}" if condition else ""
    query = node.get("loaded_at_query") or f"select max({node['loaded_at_field']}) from {relation}{where}"
    return SourceFreshness(node["unique_id"], relation, query, _after(node, "warn"), _after(node, "error"))


def _after(node: Mapping[str, Any], kind: str) -> timedelta | None:
    bound = (node.get("freshness") or {}).get(f"{kind}_after") or {}
    if not bound.get("count"):
        return None
    return int(bound["count"]) * timedelta(**{f"{bound['period']}s": 1})


def _all_exist(connection: Connection, found: list[SourceFreshness]) -> bool:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select bool_and(to_regclass(name) is not null) from unnest(%s) as name", ([s.relation for s in found],)
        )
        row = cursor.fetchone()
    return row is not None and row[0] is True


def _told(span: timedelta) -> str:
    """A span in the largest unit that fits: 3 days, 5 h, 12 min."""
    seconds = span.total_seconds()
    for unit, length in ((" days", 86_400), (" h", 3_600), (" min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f} s"
