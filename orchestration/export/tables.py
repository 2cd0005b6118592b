"""The tables that are exported, as the database describes them."""

from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

SCHEMAS = ("ctgov", "analytics")
LOCKABLE = "rpv"
# Bookkeeping of dlt and dbt: names that begin with an underscore, and what dbt builds aside before it swaps.
HIDDEN = ("*._*", "*.*__dbt_*")

_COLUMNS = """
select c.oid::bigint, n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod),
    not a.attnotnull, col_description(c.oid, a.attnum), b.typname, e.typname,
    case when t.typtype = 'd' then t.typtypmod else a.atttypmod end
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
left join pg_type e on e.oid = b.typelem and b.typcategory = 'A'
where n.nspname = any(%s) and c.relkind = any('{r,p,v,m}') and not c.relispartition
    and c.relname !~ '^_' and c.relname !~ '__dbt_'
order by array_position(%s, n.nspname::text), c.relname, a.attnum
"""


@dataclass(frozen=True)
class Column:
    """`type` is Postgres's, as a person writes it; `base` and `element` are pg_type's names, domains resolved.

    `element` is the type of an array's items, None for what is no array; `modifier` is pg_attribute's atttypmod.
    """

    name: str
    type: str
    nullable: bool
    description: str | None
    base: str
    element: str | None
    modifier: int


@dataclass(frozen=True)
class Table:
    """One table or view. `kind` is pg_class's relkind; `rows` are counted within the snapshot, 0 before that."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[Column, ...]
    rows: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def has_data_in_dump(self) -> bool:
        return self.kind in "rp"


def read_tables(cursor: Cursor, schemas: tuple[str, ...]) -> list[Table]:
    """All tables and views of `schemas`, in the order of `schemas`, then by name."""
    cursor.execute(_COLUMNS, (list(schemas), list(schemas)))
    found: dict[int, tuple[str, str, str]] = {}
    columns: dict[int, list[Column]] = {}
    for oid, schema, name, kind, *column in cursor.fetchall():
        found[oid] = (schema, name, kind)
        columns.setdefault(oid, []).append(Column(*column))
    return [Table(oid, *about, tuple(columns[oid])) for oid, about in found.items()]
