"""Rows of Postgres as polars DataFrames and back, with their types, and nothing in between but psycopg2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from orchestration.warehouse import connect, query

if TYPE_CHECKING:
    from polars import DataFrame, DataType
    from psycopg2.extensions import Column, cursor

MOST_DIGITS = 38


class UnknownType(TypeError):
    """A column has a type that tables do not hold. The message names the column and what to do."""


def frame(url: str, statement: str, parameters: Sequence[object] = ()) -> DataFrame:
    """The rows of one statement. Times come in UTC; numbers of unlimited precision as floats."""
    with closing(connect(url)) as connection, connection, connection.cursor() as opened:
        opened.execute("set time zone 'UTC'")
        opened.execute(statement, tuple(parameters) or None)
        return fetched(opened)


def fetched(opened: cursor) -> DataFrame:
    """What a cursor has to give, as a DataFrame."""
    import polars

    columns = opened.description or ()
    schema = {column.name: _polars_type(column) for column in columns}
    return polars.DataFrame(opened.fetchall(), schema=schema, orient="row", strict=False)


def missing(url: str, relations: Iterable[str]) -> list[str]:
    """Those of `relations` (schema.table) that the database does not have."""
    statement = "select name from unnest(%s) as name where to_regclass(name) is null"
    return [name for (name,) in query(url, statement, (list(relations),))]


def postgres_type(column: str, dtype: DataType) -> str:
    """The Postgres type that holds a polars type's values, spelled as Postgres spells it. Raises UnknownType."""
    import polars as pl

    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision or MOST_DIGITS},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return f"timestamp {'with' if dtype.time_zone else 'without'} time zone"
    if isinstance(dtype, (pl.Categorical, pl.Enum, pl.Null)):
        return "text"
    known: dict[type[DataType] | DataType, str] = {
        pl.Boolean(): "boolean",
        pl.Int8(): "smallint",
        pl.Int16(): "smallint",
        pl.Int32(): "integer",
        pl.Int64(): "bigint",
        pl.UInt8(): "smallint",
        pl.UInt16(): "integer",
        pl.UInt32(): "bigint",
        pl.UInt64(): "numeric(20,0)",
        pl.Float32(): "real",
        pl.Float64(): "double precision",
        pl.String(): "text",
        pl.Date(): "date",
        pl.Time(): "time without time zone",
    }
    if dtype not in known:
        raise UnknownType(f"column {column} is of type {dtype}, which no table here holds: cast it, to text if need be")
    return known[dtype]


def _polars_type(column: Column) -> DataType:
    """By the type's OID, which is the same in every Postgres."""
    import polars as pl

    if column.type_code == 1700:
        limited = column.precision is not None and column.precision <= MOST_DIGITS
        return pl.Decimal(column.precision, column.scale or 0) if limited else pl.Float64()
    known: dict[Any, DataType] = {
        16: pl.Boolean(),
        20: pl.Int64(),
        21: pl.Int16(),
        23: pl.Int32(),
        700: pl.Float32(),
        701: pl.Float64(),
        1082: pl.Date(),
        1083: pl.Time(),
        1114: pl.Datetime("us"),
        1184: pl.Datetime("us", "UTC"),
    }
    return known.get(column.type_code, pl.String())
