"""The warehouse: find it or start it, and make the databases, schemas and tables that others rely on."""

import hashlib
import logging
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestration.database_url import FORM, is_well_formed
from orchestration.local.password_file import password_file, remember
from orchestration.local.postgres import HOST, USER, EmbeddedPostgres, EmbeddedPostgresError
from orchestration.settings import ConfigurationError, Settings
from orchestration.settings import settings as configured

DATABASE = "bioloupe"
DAGSTER_DATABASE = "dagster"
# What is built from the raw tables: a branch deployment has schemas of its own for it, and shares the others.
BRANCHED = ("ctgov", "intermediate", "analytics", "reports")
SCHEMAS = ("raw_ctgov", *BRANCHED, "enrichment", "checks", "watchlists")
CONNECT_SECONDS = 10

_ROOMS = ("enrichment", "checks", "watch")  # rooms of this package that have tables of their own
_TABLES = sorted(file for room in _ROOMS for file in Path(__file__).parent.glob(f"{room}/**/schema.sql"))
_DRIVER = re.compile(r"^postgres(ql)?(\+\w+)?://")
# Commands that start together take turns; any number that nothing else locks would do.
_TURN = 7_246_310_518
_log = logging.getLogger(__name__)


class WarehouseError(ConfigurationError):
    """The database can't be used as configured; the message says why and names the remedy, never the password."""


@dataclass(frozen=True)
class Warehouse:
    """Where the data is and where Dagster keeps its runs: DSNs that libpq, dlt, dbt and SQLAlchemy read."""

    url: str
    dagster_url: str


def ensure(settings: Settings) -> Warehouse:
    """Start the embedded server if no DATABASE_URL is set, and prepare the databases. Cheap when all is there.

    Raises ConfigurationError (WarehouseError, EmbeddedPostgresError) with the remedy.
    """
    url = reach(settings)
    if settings.branch:
        return _branch_deployment(url, settings.branch)
    if settings.dagster_database_url is None:
        dagster_url = _sibling(url, DAGSTER_DATABASE)
        _create_missing(url, DAGSTER_DATABASE)
    else:
        dagster_url = normalised(settings.dagster_database_url.get_secret_value(), "DAGSTER_DATABASE_URL")
    _prepare(url)
    return Warehouse(url, dagster_url)


def reach(settings: Settings) -> str:
    """The warehouse's DSN; the embedded server is started, and its database made, if no DATABASE_URL is set."""
    if settings.database_url is not None:
        return normalised(settings.database_url.get_secret_value(), "DATABASE_URL")
    url = _start_embedded(settings)
    _create_missing(_sibling(url, "postgres"), DATABASE, search_path='"$user", public, ctgov')
    return url


def connect(url: str) -> Connection:
    """Connect with psycopg2. `url` may name a driver (`postgresql+psycopg2://`), as SQLAlchemy's do.

    Raises WarehouseError where no connection is made.
    """
    try:
        return psycopg2.connect(
            _DRIVER.sub("postgresql://", url), connect_timeout=CONNECT_SECONDS, fallback_application_name="bioloupe"
        )
    except psycopg2.OperationalError as error:
        said = " ".join(str(error).split())  # libpq writes several lines
        said += "" if said.endswith((".", "?")) else "."
        raise WarehouseError(f"no connection to {without_password(url)}: {said}{_whose(url)}") from error


def normalised(url: str, variable: str) -> str:
    """The same DSN as `postgresql://…`, which all readers understand. `variable` is named in the WarehouseError."""
    match = _DRIVER.match(url)
    if match is None or not is_well_formed(url) or _parsed(url) is None:
        raise WarehouseError(f"{variable} {FORM}")
    return "postgresql://" + url[match.end() :]


def without_password(url: str) -> str:
    """The DSN as it may be shown."""
    parsed = _parsed(url) if is_well_formed(url) else None
    return parsed.render_as_string(hide_password=True) if parsed else "an unreadable URL"


def embedded(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of these settings, running or not."""
    return EmbeddedPostgres(settings.shared_home, settings.db_port)


def _branch_deployment(url: str, branch: str) -> Warehouse:
    """The shared warehouse as a branch uses it: nothing is prepared in it, and Dagster's runs are the branch's own."""
    from orchestration.branches import branches, dagster_url

    if branch not in [b.slug for b in branches(url)]:
        raise WarehouseError(
            f"there is no branch deployment {branch} in {without_password(url)}: `bioloupe branch create {branch}`"
        )
    return Warehouse(url, dagster_url(url, branch))


def _start_embedded(settings: Settings) -> str:
    server = embedded(settings)
    server.start()
    file = password_file()
    try:
        remember(file, HOST, server.port, USER, server.password())
    except OSError as error:
        _log.warning("plain dbt and psql won't find the password: %s can't be written (%s)", file, error)
    return server.url(DATABASE)


def _sibling(url: str, database: str) -> str:
    """Another database on the same server."""
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _whose(url: str) -> str:
    """A sentence on the variable that the DSN was taken from; empty where nobody has set it."""
    config = configured()
    without = {
        "DATABASE_URL": (config.database_url, "the embedded Postgres"),
        "DAGSTER_DATABASE_URL": (config.dagster_database_url, "the database `dagster` beside the warehouse"),
    }
    for variable, (value, instead) in without.items():
        if value and _same(value.get_secret_value(), url) and not _is_embedded(url, config):
            return f" That is {variable}: mend it, or unset it for {instead}."
    return ""


def _same(one: str, other: str) -> bool:
    return _DRIVER.sub("", one) == _DRIVER.sub("", other)


def _is_embedded(url: str, config: Settings) -> bool:
    """Whether it is the embedded server's: processes that a command starts have its DSN in DATABASE_URL."""
    try:
        return any(_same(embedded(config).url(database), url) for database in (DATABASE, DAGSTER_DATABASE))
    except EmbeddedPostgresError:
        return False


def _parsed(url: str) -> URL | None:
    try:
        return make_url(_DRIVER.sub("postgresql://", url))
    except (ArgumentError, ValueError):
        return None


def _create_missing(url: str, name: str, search_path: str | None = None) -> None:
    """Create the database `name`, if it is missing, on the server that `url` leads to.

    `search_path`: where it looks for tables of which no schema is named, as SQL written for AACT often leaves it out.
    """
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("select from pg_database where datname = %s", (name,))
        if cursor.rowcount:
            return
        try:
            cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            if search_path:
                cursor.execute(
                    sql.SQL(f"alter database {{}} set search_path = {search_path}").format(sql.Identifier(name))
                )
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            _log.info("another command has just created the database %s", name)
        except errors.InsufficientPrivilege:
            raise WarehouseError(
                f"there is no database `{name}` on the server of {without_password(url)}, and its user may not create "
                f"one: have it created (create database {name}), or set DAGSTER_DATABASE_URL to another database"
            ) from None


def _prepare(url: str) -> None:
    """Create missing schemas and the tables that Python writes, and have large values compressed with lz4.

    Where the user may not, because roles with least rights are in force, it has been done by one who may: the mark
    says so.
    """
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (_TURN,))
        cursor.execute("select obj_description(to_regnamespace('enrichment'), 'pg_namespace')")
        mark, prepared = _mark(), cursor.fetchone() == (_mark(),)
        _prefer_lz4(cursor)
        cursor.execute("savepoint preparation")
        try:
            _create_schemas(cursor)
            for file in _TABLES:
                cursor.execute(file.read_text())
            if not prepared:
                cursor.execute("comment on schema enrichment is %s", (mark,))
        except errors.InsufficientPrivilege as error:
            cursor.execute("rollback to savepoint preparation")
            if not prepared:
                raise WarehouseError(
                    f"the user of {without_password(url)} may not create what the warehouse needs: "
                    f"{str(error).strip()}\nMake that user the database's owner, or grant it create on the database; "
                    "with roles of least rights, let the owner run `bioloupe db roles --apply`."
                ) from error


def _mark() -> str:
    """What is noted of a warehouse that has everything that this version of bioloupe needs."""
    needed = "".join([*SCHEMAS, *(file.read_text() for file in _TABLES)])
    return f"Answers, and what they cost. Prepared: {hashlib.md5(needed.encode(), usedforsecurity=False).hexdigest()}"


def _create_schemas(cursor: Cursor) -> None:
    # Asked first: `create schema if not exists` needs the right to create even where nothing is missing.
    cursor.execute("select nspname from pg_namespace where nspname = any(%s)", (list(SCHEMAS),))
    present = {name for (name,) in cursor.fetchall()}
    for schema in SCHEMAS:
        if schema not in present:
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def _prefer_lz4(cursor: Cursor) -> None:
    """Make lz4 the database's default for large values: half the cost of pglz.

    Not every server is built with it, and only a database's owner may say so; elsewhere all stays as it is.
    """
    cursor.execute(
        "select datname from pg_settings, pg_database where name = 'default_toast_compression' and setting <> 'lz4' "
        "and 'lz4' = any(enumvals) and datname = current_database() and pg_has_role(datdba, 'usage')"
    )
    for (database,) in cursor.fetchall():
        alter = sql.SQL("alter database {} set default_toast_compression = 'lz4'")
        cursor.execute(alter.format(sql.Identifier(database)))


def query(url: str, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of one statement, which is committed. For small answers: counts, the newest row, a bookkeeping table."""
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()
