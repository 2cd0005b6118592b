"""Who may do what in the warehouse: one role per layer, and the SQL that makes it so.

A role that owns a schema builds in it; whatever it builds tomorrow is readable to the same roles as today, by default
privileges. Default privileges belong to the role that creates a table, so a login must act as its role: `alter role
LOGIN set role = 'bioloupe_…'`.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from psycopg2 import errors

from orchestration.warehouse import WarehouseError, connect, without_password

PREFIX = "bioloupe_"
ROLES = {
    "loader": "loads what the registries publish",
    "transformer": "dbt: models what is loaded",
    "enricher": "has free text read, and keeps the ledger of what that cost",
    "operator": "Dagster: reads everything, keeps reports, checks and watchlists",
    "reader": "analysts: read what is modelled and answered",
    "developer": "builds branch deployments: reads what dbt reads, and makes schemas of its own",
}


@dataclass(frozen=True)
class Layer:
    """A schema, the role that builds in it, and the roles that read it.

    Beside them the operator reads everything, and a developer all that a reader does.
    """

    schema: str
    owner: str
    readers: tuple[str, ...] = ()


LAYERS = (
    Layer("raw_ctgov", "loader", ("transformer", "developer")),
    Layer("raw_ctgov_staging", "loader"),  # where dlt puts a batch before it is merged
    Layer("ctgov", "transformer", ("reader",)),
    Layer("intermediate", "transformer", ("enricher", "developer")),
    Layer("analytics", "transformer", ("reader",)),
    Layer("enrichment", "enricher", ("transformer", "reader")),
    Layer("reports", "operator", ("reader",)),
    Layer("checks", "operator"),
    Layer("watchlists", "operator", ("reader",)),
)
# Hands over what is in a schema. Sequences of columns go with their tables.
_OWN = """
do $$ declare found record; begin
    for found in
        select 'table' as kind, c.oid::regclass::text as name from pg_class as c
        where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        and c.relowner <> '{role}'::regrole
        and not (c.relkind = 'S' and exists (select from pg_depend where objid = c.oid and deptype in ('a', 'i')))
        union all
        select 'routine', p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace = '{schema}'::regnamespace and p.proowner <> '{role}'::regrole
    loop
        execute format('alter %s %s owner to {role}', found.kind, found.name);
    end loop;
end $$"""


def readers(layer: Layer) -> tuple[str, ...]:
    """All that read a layer but do not own it."""
    developers = ("developer",) if "reader" in layer.readers else ()
    return tuple(sorted({*layer.readers, *developers, "operator"} - {layer.owner}))


def statements() -> list[str]:
    """What makes the declared roles and rights the actual ones, in order. Run again, it changes nothing."""
    return [*_roles(), *(s for layer in LAYERS for s in _layer(layer)), *_database()]


def dagster_statements() -> list[str]:
    """The same for the database where Dagster keeps its runs: the operator's alone."""
    role = PREFIX + "operator"
    return [f"grant usage, create on schema public to {role}", _OWN.format(schema="public", role=role)]


def apply(url: str, dagster_url: str) -> None:
    """Make it so, as a role that may: the databases' owner with createrole, or a superuser. Raises WarehouseError."""
    _run(url, statements())
    _run(dagster_url, dagster_statements())


def _run(url: str, script: list[str]) -> None:
    try:
        with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(";\n".join(script))
    except errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"the user of {without_password(url)} may not set roles and rights: {str(error).strip()}\n"
            "Use one that owns the database and has createrole, as a managed server's administrator does."
        ) from None


def _roles() -> Iterator[str]:
    for name, purpose in ROLES.items():
        role = PREFIX + name
        yield (
            f"do $$ begin if to_regrole('{role}') is null then create role {role} nologin; end if; end $$;\n"
            f"comment on role {role} is '{purpose}'"
        )
        # Only a member may hand over to a role, and only one that may create schemas is handed one.
        yield (
            "do $$ begin if not (select rolsuper from pg_roles where rolname = current_user) then "
            f"execute format('grant {role} to %I', current_user); end if; "
            f"execute format('grant connect, temporary, create on database %I to {role}', current_database()); end $$"
        )
    yield f"grant {PREFIX}reader to {PREFIX}developer"


def _layer(layer: Layer) -> Iterator[str]:
    schema, owner = layer.schema, PREFIX + layer.owner
    # Asked first: `create schema if not exists` says that it skips, each time.
    yield (
        f"do $$ begin if to_regnamespace('{schema}') is null then create schema {schema}; end if; "
        f"if (select nspowner from pg_namespace where nspname = '{schema}') <> '{owner}'::regrole "
        f"then alter schema {schema} owner to {owner}; end if; end $$"
    )
    yield _OWN.format(schema=schema, role=owner)
    others = ", ".join(["public", *(PREFIX + name for name in ROLES if name != layer.owner)])
    by_default = f"alter default privileges for role {owner} in schema {schema}"
    yield f"revoke all on schema {schema} from {others}"
    yield f"revoke all on all tables in schema {schema} from {others}"
    yield f"{by_default} revoke all on tables from {others}"
    listed = ", ".join(PREFIX + name for name in readers(layer))
    if listed:
        yield f"grant usage on schema {schema} to {listed}"
        yield f"grant select on all tables in schema {schema} to {listed}"
        yield f"{by_default} grant select on tables to {listed}"


def _database() -> Iterator[str]:
    """All schemas are there: nobody needs to make one, but for a developer's branches."""
    for name in ROLES:
        if name != "developer":
            yield (
                "do $$ begin "
                f"execute format('revoke create on database %I from {PREFIX}{name}', current_database()); end $$"
            )
    yield "revoke create on schema public from public"
