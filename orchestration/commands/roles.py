"""`bioloupe db roles`: one role per layer with the rights that it needs, and no others."""

import sys

import click

ADVICE = """
A login for a layer, here dbt's, with a password of your own:
  create role dbt_nightly login in role bioloupe_transformer;
  alter role dbt_nightly set role = 'bioloupe_transformer';
  \\password dbt_nightly
DATABASE_URL is the operator's login; a layer's is LOADER_DATABASE_URL, TRANSFORMER_DATABASE_URL,
ENRICHER_DATABASE_URL."""


@click.command()
@click.option("--apply", "action", flag_value="apply", help="Make the roles and their rights as declared.")
@click.option("--sql", "action", flag_value="sql", help="Print the SQL that --apply runs, for whoever may run it.")
@click.option("--show", "action", flag_value="show", default="show", help="Show who may do what.  [default]")
def roles(action: str) -> None:
    """Roles with least rights: loader, transformer, enricher, operator, reader, developer.

    --apply wants a DATABASE_URL whose user owns the database and may create roles; run it again after an update.
    The roles have no password: grant each to logins of your own, and let these act as it, as --show tells. Exit code
    of --show: 0 where all rights are as declared, 1 where not.
    """
    from orchestration.roles import apply, dagster_statements, statements
    from orchestration.settings import settings
    from orchestration.warehouse import ensure, reach

    if action == "sql":
        click.echo(";\n".join(statements()) + ";\n\n-- in the database where Dagster keeps its runs:")
        click.echo(";\n".join(dagster_statements()) + ";")
        return
    config = settings()
    if action == "apply":
        warehouse = ensure(config)
        apply(warehouse.url, warehouse.dagster_url)
    sys.exit(0 if _show(reach(config)) else 1)


def _show(url: str) -> bool:
    """Print the rights as they are, what differs, and how logins are made. Returns whether nothing differs."""
    from rich.console import Console
    from rich.table import Table

    from orchestration.role_rights import differences, members, rights
    from orchestration.roles import LAYERS, PREFIX, ROLES

    console, found = Console(highlight=False), rights(url)
    table = Table("schema", *ROLES, box=None, padding=(0, 2, 0, 0))
    for layer in LAYERS:
        table.add_row(layer.schema, *(found.get((layer.schema, role), "no role") or "-" for role in ROLES))
    console.print(table)
    for role, logins in members(url).items():
        console.print(f"{PREFIX}{role}: {', '.join(logins)}")
    wrong = differences(found)
    for line in wrong:
        console.print(f"[red]{line}[/]")
    console.print("`bioloupe db roles --apply` makes them so." if wrong else ADVICE, markup=False)
    return not wrong
