"""Branch deployments: schemas of a branch's own beside the shared ones, made, listed and dropped.

A branch is marked by the comment on its `<branch>__dagster`, which only `create` makes. The names of its schemas all
begin with `<branch>__`, and a shared schema has no such name, so dropping a branch can reach nothing else.
"""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor

from orchestration.branch_names import SEPARATOR, branch_of, schema, slug
from orchestration.database_url import with_option
from orchestration.warehouse import BRANCHED, WarehouseError, connect, query, without_password

DAGSTER = "dagster"
_MARK = "bioloupe branch deployment of "
_LISTED = """
select n.nspname, obj_description(n.oid, 'pg_namespace'), (
    select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class as c
    where c.relnamespace = n.oid and c.relkind in ('r', 'm')
)::bigint
from pg_namespace as n where strpos(n.nspname, %s) > 0 order by n.nspname
"""


@dataclass(frozen=True)
class Branch:
    """One branch deployment: the git branch that it is of, its schemas, and their size in bytes."""

    name: str
    slug: str
    schemas: tuple[str, ...]
    size: int


def branches(url: str) -> list[Branch]:
    """Every branch deployment of a warehouse, by name."""
    found: dict[str, list[tuple[str, int]]] = {}
    names: dict[str, str] = {}
    for schema_name, comment, size in query(url, _LISTED, (SEPARATOR,)):
        branch = branch_of(schema_name)
        if branch is None:
            continue
        found.setdefault(branch, []).append((schema_name, size))
        if schema_name == schema(branch, DAGSTER) and (comment or "").startswith(_MARK):
            names[branch] = comment.removeprefix(_MARK)
    return [
        Branch(names[b], b, tuple(name for name, _ in parts), sum(size for _, size in parts))
        for b, parts in sorted(found.items())
        if b in names
    ]


def create(url: str, name: str) -> Branch:
    """Make the schemas of the git branch `name`; nothing happens where they are there. Raises WarehouseError."""
    wanted = slug(name)
    present = next((b for b in branches(url) if b.slug == wanted), None)
    if present is not None and present.name != name:
        raise WarehouseError(
            f"the schemas of {name} would be called {wanted}{SEPARATOR}…, which are those of the branch "
            f"{present.name}: rename one of the two, or `bioloupe branch drop {present.name}`"
        )
    try:
        with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
            if present is None:
                _refuse_strangers(cursor, wanted)
            _create_schemas(cursor, wanted, name)
    except errors.InsufficientPrivilege:
        raise WarehouseError(
            f"the user of {without_password(url)} may not create schemas: grant it create on the database, or "
            "membership in bioloupe_developer (`bioloupe db roles`)"
        ) from None
    return next(b for b in branches(url) if b.slug == wanted)


def drop(url: str, branch: Branch, home: Path) -> None:
    """Remove a branch deployment: its schemas with all that is in them, and its files, `home` being BIOLOUPE_HOME."""
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        for name in _own(cursor, branch.slug):
            cursor.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))
    shutil.rmtree(home / "branches" / branch.slug, ignore_errors=True)


def dagster_url(url: str, branch: str) -> str:
    """Where a branch's Dagster keeps its runs: a schema of the warehouse, so that it goes with the branch."""
    return with_option(url, "search_path", schema(branch, DAGSTER))


def _create_schemas(cursor: Cursor, branch: str, name: str) -> None:
    present = set(_own(cursor, branch))
    for layer in (*BRANCHED, DAGSTER):
        if schema(branch, layer) not in present:
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema(branch, layer))))
    if schema(branch, DAGSTER) not in present:
        mark = sql.SQL("comment on schema {} is {}")
        cursor.execute(mark.format(sql.Identifier(schema(branch, DAGSTER)), sql.Literal(_MARK + name)))


def _refuse_strangers(cursor: Cursor, branch: str) -> None:
    """Schemas that look like the branch's, though nobody has made it, are somebody's: dropping would remove them."""
    if strangers := _own(cursor, branch):
        raise WarehouseError(
            f"there are schemas already whose names are those of the branch {branch}: {', '.join(strangers)}. "
            "Remove or rename them, or choose another name."
        )


def _own(cursor: Cursor, branch: str) -> list[str]:
    cursor.execute("select nspname from pg_namespace where starts_with(nspname, %s)", (branch + SEPARATOR,))
    return sorted(name for (name,) in cursor.fetchall() if branch_of(name) == branch)
