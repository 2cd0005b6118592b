"""`bioloupe db`: the embedded Postgres, and the way into whichever database is configured."""

import os
import shutil
import sys
import time

import click

from orchestration.commands.roles import roles
from orchestration.database_url import password_apart
from orchestration.local.password_file import password_file
from orchestration.local.postgres import EmbeddedPostgresError, ServerStatus, programs
from orchestration.settings import settings
from orchestration.warehouse import DATABASE, connect, embedded, ensure, normalised, without_password

NOT_RUNNING = 3  # the exit code of `pg_ctl status`


@click.group()
def db() -> None:
    """The database: the embedded Postgres, or the one that DATABASE_URL names.

    Where DATABASE_URL is not set, a Postgres server of this checkout's own runs on 127.0.0.1, on the port
    BIOLOUPE_DB_PORT (54329), with its data in BIOLOUPE_HOME. Commands that need it start it; it goes on until
    `bioloupe db stop` or the machine's end. With DATABASE_URL set, it is never started.
    """


db.add_command(roles)


@db.command()
def start() -> None:
    """Start the embedded Postgres, and prepare the databases.

    Makes the data directory the first time, the databases `bioloupe` and `dagster` and the warehouse's schemas where
    they are missing, and writes the password to ~/.pgpass (or PGPASSFILE), so that plain `dbt` and `psql` find it.
    """
    began = time.monotonic()
    warehouse = ensure(settings())
    if not settings().uses_embedded_database:
        click.echo(
            f"DATABASE_URL is set, the embedded Postgres is not used: {without_password(warehouse.url)} is ready"
        )
        return
    click.echo(f"Postgres is ready after {time.monotonic() - began:.1f} s: {without_password(warehouse.url)}")
    click.echo(f'  psql "$(bioloupe db url)"     the password is also in {password_file()}')
    if "DBT_PROJECT_DIR" not in os.environ:
        click.echo("  export DBT_PROJECT_DIR=dbt_project     once in a terminal, for plain `dbt build` from the root")


@db.command()
def stop() -> None:
    """Stop the embedded Postgres; its data stays.

    Sessions are ended and their open transactions rolled back. Does nothing if it is not running.
    """
    if not settings().uses_embedded_database:
        click.echo("DATABASE_URL is set, the embedded Postgres is not used: nothing to stop")
    elif embedded(settings()).stop():
        click.echo("Postgres is stopped; its data stays")
    else:
        click.echo("Postgres was not running")


@db.command()
def status() -> None:
    """Tell whether the database can be reached, and where it is. Exit code 0: it can, 3: it can't."""
    config = settings()
    if config.database_url:
        url = normalised(config.database_url.get_secret_value(), "DATABASE_URL")
        click.echo(f"DATABASE_URL is set, the embedded Postgres is not used\n{without_password(url)}: {_reached(url)}")
        return
    server = embedded(config)
    found = server.status()
    click.echo(_state(found))
    click.echo(f"  data  {found.data}\n  log   {found.log}")
    if not found.running:
        sys.exit(NOT_RUNNING)
    click.echo(f"  it says: {_reached(server.url('postgres'))}")


@db.command()
def url() -> None:
    """Print the warehouse's URL, password included: psql "$(bioloupe db url)"."""
    config = settings()
    if config.database_url:
        click.echo(normalised(config.database_url.get_secret_value(), "DATABASE_URL"))
        return
    server = embedded(config)
    click.echo(server.url(DATABASE))
    if not server.status().running:
        click.echo("(it is not running: `bioloupe db start`)", err=True)


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("psql_arguments", nargs=-1, type=click.UNPROCESSED)
def shell(psql_arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse, starting the embedded Postgres if need be.

    PSQL_ARGUMENTS go to psql: bioloupe db shell -c 'select count(*) from ctgov.studies'
    """
    program = _psql()
    dsn, password = password_apart(ensure(settings()).url)
    if password:
        # Not as an argument: other users see those in the list of processes.
        os.environ["PGPASSWORD"] = password
    os.execv(program, [program, "--dbname", dsn, *psql_arguments])


@db.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
def reset(yes: bool) -> None:
    """Remove the embedded Postgres's data: warehouse, the model's answers, Dagster's runs. Asks first.

    The next start makes an empty server with a new password; the next refresh loads everything again, and pays for
    every answer of a language model again.
    """
    if not settings().uses_embedded_database:
        raise click.ClickException("DATABASE_URL is set: that database is not bioloupe's to remove. Nothing was done.")
    server = embedded(settings())
    if not yes:
        click.confirm(f"Remove all data in {server.data}?", abort=True)
    server.reset()
    click.echo("All data is removed; `bioloupe db start` makes an empty server")


def _state(found: ServerStatus) -> str:
    if found.started is None:
        return "Postgres is not running" + ("" if found.initialised else ", and has no data yet")
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.started))
    word = "running" if found.running else found.state
    return f"Postgres is {word} on port {found.port}, pid {found.pid}, since {since}"


def _reached(url: str) -> str:
    """The server's version and the sizes of its databases, asked over the wire."""
    connection = connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select split_part(version(), ' on ', 1), pg_size_pretty(sum(pg_database_size(oid))) from pg_database "
                "where has_database_privilege(oid, 'connect')"
            )
            version, size = cursor.fetchone() or ("", "")
            return f"{version}, {size} on disk"
    finally:
        connection.close()


def _psql() -> str:
    """The path of psql: the embedded server's own, whose version fits, else the system's."""
    try:
        own = programs() / "psql"
        if os.access(own, os.X_OK):
            return str(own)
    except EmbeddedPostgresError:
        pass
    found = shutil.which("psql")
    if found is None:
        raise click.ClickException('psql is not installed: apt-get install postgresql-client, or use "bioloupe db url"')
    return found
