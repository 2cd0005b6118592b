"""DataFrames as tables of Postgres: what `tables` is where several machines share one warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from dagster import InputContext, IOManager, OutputContext
from psycopg2 import errors, sql
from psycopg2.extras import execute_values

from orchestration.reports.frames import fetched, postgres_type
from orchestration.warehouse import connect

if TYPE_CHECKING:
    from polars import DataFrame
    from psycopg2.extensions import cursor

PARTITION = "partition_key"


class PostgresTables(IOManager):
    """One table per asset, `<schema>.<last part of its key>`, replaced by each run in one transaction.

    A partitioned asset's table has a column more, `partition_key`; a run replaces its own partition's rows and adds
    columns that are new. Several partitions load as a dict from partition key to DataFrame.
    """

    def __init__(self, url: str, schema: str, about: Callable[[DataFrame], dict[str, Any]]) -> None:
        self._url, self._schema, self._about = url, schema, about

    def handle_output(self, context: OutputContext, obj: DataFrame) -> None:
        name = self._name(context)
        partitions: Sequence[str] = context.asset_partition_keys if context.has_asset_partitions else ()
        if len(partitions) > 1:
            raise ValueError(f"one DataFrame for {len(partitions)} partitions of {name}: yield one for each")
        with closing(connect(self._url)) as connection, connection, connection.cursor() as opened:
            # Runs of two partitions may both find the table missing: they take turns.
            opened.execute("select pg_advisory_xact_lock(hashtext(%s))", (name,))
            _create_schema(opened, self._schema)
            if partitions:
                _replace_partition(opened, self._table(name), obj, partitions[0])
            else:
                _replace(opened, self._table(name), obj)
        context.add_output_metadata({**self._about(obj), "dagster/table_name": f"{self._schema}.{name}"})

    def load_input(self, context: InputContext) -> DataFrame | dict[str, DataFrame]:
        if not context.has_asset_partitions:
            return self._read(context, None)
        keys = list(context.asset_partition_keys)
        if len(keys) == 1:
            return self._read(context, keys[0])
        return {key: self._read(context, key) for key in keys}

    def _read(self, context: InputContext, partition: str | None) -> DataFrame:
        table = self._table(self._name(context))
        with closing(connect(self._url)) as connection, connection, connection.cursor() as opened:
            opened.execute("set time zone 'UTC'")
            try:
                if partition is None:
                    opened.execute(sql.SQL("select * from {}").format(table))
                    return fetched(opened)
                where = sql.SQL("select * from {} where {} = %s").format(table, sql.Identifier(PARTITION))
                opened.execute(where, (partition,))
                return fetched(opened).drop(PARTITION)
            except errors.UndefinedTable:
                name = context.asset_key.to_user_string()
                raise LookupError(f"{name} has no table in the warehouse: materialize {name} first") from None

    def _table(self, name: str) -> sql.Composable:
        return sql.Identifier(self._schema, name)

    @staticmethod
    def _name(context: InputContext | OutputContext) -> str:
        path = context.asset_key.path
        return "__".join(path[1:] if len(path) > 1 else path)


def _columns(table: DataFrame) -> dict[str, str]:
    return {name: postgres_type(name, dtype) for name, dtype in table.schema.items()}


def _create(opened: cursor, table: sql.Composable, columns: dict[str, str]) -> None:
    listed = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in columns.items())
    opened.execute(sql.SQL("create table {} ({})").format(table, listed))


def _create_schema(opened: cursor, name: str) -> None:
    # Asked first: `create schema if not exists` needs the right to create even where nothing is missing.
    opened.execute("select from pg_namespace where nspname = %s", (name,))
    if not opened.rowcount:
        opened.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))


def _existing(opened: cursor, table: sql.Composable) -> dict[str, str]:
    """The table's columns and their types, in order; none where there is no such table."""
    opened.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (table.as_string(opened),),
    )
    return dict(opened.fetchall())


def _replace(opened: cursor, table: sql.Composable, rows: DataFrame) -> None:
    """Replace all rows; the table itself, with its grants and the views on it, only where its columns differ."""
    columns = _columns(rows)
    if columns and list(_existing(opened, table).items()) == list(columns.items()):
        opened.execute(sql.SQL("delete from {}").format(table))
    else:
        opened.execute(sql.SQL("drop table if exists {}").format(table))
        _create(opened, table, columns)
    _insert(opened, table, rows)


def _replace_partition(opened: cursor, table: sql.Composable, rows: DataFrame, partition: str) -> None:
    import polars

    keyed = rows.with_columns(polars.lit(partition).alias(PARTITION))
    columns = _columns(keyed)
    if not _existing(opened, table):
        _create(opened, table, columns)
    for name, kind in columns.items():
        add = sql.SQL("alter table {} add column if not exists {} {}")
        opened.execute(add.format(table, sql.Identifier(name), sql.SQL(kind)))
    opened.execute(sql.SQL("delete from {} where {} = %s").format(table, sql.Identifier(PARTITION)), (partition,))
    try:
        _insert(opened, table, keyed)
    except psycopg2.DataError as error:
        raise TypeError(
            f"{table.as_string(opened)} has a column of another type ({str(error).strip()}): drop the table and "
            "materialize its partitions again"
        ) from error


def _insert(opened: cursor, table: sql.Composable, rows: DataFrame) -> None:
    if rows.height and rows.width:
        names = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
        statement = sql.SQL("insert into {} ({}) values %s").format(table, names).as_string(opened)
        execute_values(opened, statement, rows.rows(), page_size=1_000)
