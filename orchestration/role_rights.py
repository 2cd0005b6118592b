"""The rights of the roles as the database has them, and where they differ from what is declared."""

from orchestration.roles import LAYERS, PREFIX, ROLES, readers
from orchestration.warehouse import query

# 'owns', 'reads', 'writes' (more than it should), 'part' (reads some tables) or '' of each role in each schema.
_RIGHTS = """
select s.schema, r.role, case
    when n.nspowner = g.oid then 'owns'
    when has_schema_privilege(g.oid, n.oid, 'create') or t.writable > 0 then 'writes'
    when not has_schema_privilege(g.oid, n.oid, 'usage') then ''
    when t.readable = t.tables then 'reads'
    when t.readable > 0 then 'part'
    else ''
end
from unnest(%s::text[]) as s (schema)
join pg_namespace as n on n.nspname = s.schema
cross join unnest(%s::text[]) as r (role)
join pg_roles as g on g.rolname = %s || r.role
cross join lateral (
    select
        count(*) as tables,
        count(*) filter (where has_table_privilege(g.oid, c.oid, 'select')) as readable,
        count(*) filter (where has_table_privilege(g.oid, c.oid, 'insert, update, delete, truncate')) as writable
    from pg_class as c where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm')
) as t
"""
_MEMBERS = """
select g.rolname, array_agg(m.rolname::text order by m.rolname) from pg_auth_members as a
join pg_roles as g on g.oid = a.roleid join pg_roles as m on m.oid = a.member
where g.rolname = any(%s) and m.rolcanlogin group by 1 order by 1
"""
Rights = dict[tuple[str, str], str]


def rights(url: str) -> Rights:
    """What each role may do in each schema: owns, reads, part, writes, or '' for nothing. Missing ones are missing."""
    parameters = ([layer.schema for layer in LAYERS], list(ROLES), PREFIX)
    return {(schema, role): found for schema, role, found in query(url, _RIGHTS, parameters)}


def members(url: str) -> dict[str, list[str]]:
    """The logins that were granted a role, by role."""
    return {
        role.removeprefix(PREFIX): logins for role, logins in query(url, _MEMBERS, ([PREFIX + name for name in ROLES],))
    }


def differences(found: Rights) -> list[str]:
    """Where the rights are not the declared ones, a line each."""
    if not found:
        return ["there are no roles yet"]
    lines = []
    for layer in LAYERS:
        for role in ROLES:
            wanted = "owns" if role == layer.owner else "reads" if role in readers(layer) else ""
            actual = found.get((layer.schema, role))
            if actual is None:
                lines.append(f"{layer.schema}: the schema or the role {PREFIX}{role} is missing")
            elif actual != wanted:
                lines.append(f"{layer.schema}: {PREFIX}{role} {actual or 'has no right'}, declared: {wanted or 'none'}")
    return lines
