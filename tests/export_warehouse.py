"""A filled warehouse with what is odd about tables added to it, and an export of it as one call."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from orchestration.export.manifest import Manifest
from orchestration.export.options import FORMATS, Options
from orchestration.export.session import Export, Published

ODD = r"""
create type analytics.mood as enum ('glad', 'sad');
create domain analytics.cents as numeric(12, 2);
create table analytics.odd (
    id bigint, text text, short varchar(40), number numeric, price numeric(12, 3), share double precision, ratio real,
    small smallint, yes boolean, day date, moment timestamp, instant timestamptz, words text[], numbers int[],
    days date[], document jsonb, uuid uuid, span interval, mood analytics.mood, cents analytics.cents,
    "Odd|""name" text, doubled bigint generated always as (id * 2) stored
);
insert into analytics.odd values
    (1, 'a|pipe', 'a "quote"', 0.1, 1.125, 1.0 / 3, 0.1, 7, true, '2024-02-29', '2024-02-29 12:00:00.123456',
     '2024-02-29 12:00:00.123456+02', '{a,"b,c","d\"e",null,""}', '{1,null,-3}', '{2024-02-29}', '{"k": ["|", "\n"]}',
     '00000000-0000-4000-8000-000000000001', '1 day 2 hours', 'glad', 12.34, 'x'),
    (2, E'two\nlines', E'\r\n', 12345678901234567890, -999999999.999, 'NaN', 'Infinity', -7, false, '0001-01-01',
     '1900-01-01', '9999-12-31 23:59:59.999999+00', '{}', '{}', '{}', '[]', null, null, 'sad', -0.01, ''),
    (3, '', '""', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null),
    (4, E'\\.', E'back\\slash\ttab', 1e-20, 0.001, 1e308, 1e-30, 0, true, '1969-12-31', '1969-12-31 23:59:59.999999',
     '1969-12-31 23:59:59.999999+00', array['é', '日本', E'\U0001F9EC'], '{0}', '{1969-12-31}', 'null', null, null,
     null, 0, E'\'');
create table analytics.lonely (note text);
insert into analytics.lonely values (null), (''), (E'\\.'), ('\.'), ('x');
create table analytics.empty (id int, note text);
create view analytics.odd_view as select id, text from analytics.odd where id < 3;
create table analytics._hidden (id int);
create table analytics.odd__dbt_backup (id int);
"""


def execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        cursor.execute(statement)
        return cursor.fetchall()


@contextmanager
def copied(url: str, template: str, name: str) -> Iterator[str]:
    """Yield the URL of a copy of the database `template`, dropped afterwards."""
    server = url.rsplit("/", 1)[0]
    connection = psycopg2.connect(f"{server}/postgres")
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"create database {name} template {template}")
        yield f"{server}/{name}"
        cursor.execute(f"drop database {name} with (force)")


def quiet(_: int) -> None:
    """Hear of progress."""


def write(export: Export) -> list[str]:
    """Have all asked formats written: their paths."""
    writers = {"dump": export.write_dump, "flat": export.write_flat_files, "parquet": export.write_parquet}
    return [path for name in export.options.formats for path in writers[name](quiet)]


def exported(
    url: str, directory: Path, tables: tuple[str, ...] = (), formats: tuple[str, ...] = FORMATS
) -> tuple[Published, Manifest]:
    """A whole export."""
    with Export(url, Options(directory, formats, tables=tables), "run") as export:
        export.begin(quiet)
        manifest = export.check(write(export), quiet)
        return export.publish(manifest), manifest
