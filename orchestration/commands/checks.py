"""`bioloupe checks`: which tables are held back, and how an operator says that one is right as it stands."""

from contextlib import closing

import click


@click.group()
def checks() -> None:
    """See which tables the anomaly checks hold back, and accept what is meant so."""


@checks.command()
def held() -> None:
    """List the tables that hold back what follows, with the reason. Exit code 1 where there is one."""
    from orchestration.checks.history import held as held_tables
    from orchestration.runtime import activate
    from orchestration.warehouse import connect

    with closing(connect(activate().url)) as connection:
        found = held_tables(connection)
    for relation, observed_at, reason in found:
        click.echo(f"{relation}  {observed_at:%Y-%m-%d %H:%M %Z}  {reason}")
    if found:
        click.echo("Where one is meant so: bioloupe checks accept TABLE")
        raise SystemExit(1)
    click.echo("nothing is held back")


@checks.command()
@click.argument("tables", nargs=-1, metavar="TABLE...")
@click.option("--held", "all_held", is_flag=True, help="Accept every table that is held back.")
@click.option("--reason", default="accepted by an operator", show_default=True, help="Kept in checks.table_history.")
def accept(tables: tuple[str, ...], all_held: bool, reason: str) -> None:
    """Take TABLE (schema.name) as it stands as right: from now on it is compared with that."""
    from orchestration.checks.history import accept as accept_table
    from orchestration.checks.history import held as held_tables
    from orchestration.runtime import activate
    from orchestration.warehouse import connect

    if not tables and not all_held:
        raise click.UsageError("name a table, or give --held; `bioloupe checks held` lists what is held back")
    if any(table.count(".") != 1 for table in tables):
        raise click.BadParameter("a table is written schema.name, such as ctgov.studies")
    with closing(connect(activate().url)) as connection:
        more = [relation for relation, _, _ in held_tables(connection)] if all_held else []
        for table in dict.fromkeys([*tables, *more]):
            try:
                now = accept_table(connection, table, reason)
            except LookupError as error:
                raise click.ClickException(str(error)) from None
            click.echo(f"{table}: {now.rows:,} rows, {len(now.columns)} columns are right as they stand")
    click.echo("The next run goes on; a check's sign in the UI changes when it is run again.")
