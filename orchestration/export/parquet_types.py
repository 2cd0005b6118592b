"""From Postgres's types to Parquet's: how each column is asked for, how it arrives, and what it becomes.

Dates and times travel as numbers, so that no text is parsed. `numeric` without a precision becomes a double, since
Parquet's decimals need one; `numeric(p,s)` up to 38 digits stays exact. JSON, intervals, UUIDs and whatever else has no
counterpart stay text. Infinite dates have no counterpart at all: they are an error of the query, never a wrong date.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from orchestration.export.tables import Column

if TYPE_CHECKING:
    import polars as pl
    from polars._typing import PolarsDataType

MOST_DIGITS = 38
_EPOCH = "({} - date '1970-01-01')"
_MICROSECONDS = "(extract(epoch from {}) * 1000000)::bigint"


@dataclass(frozen=True)
class Reading:
    """`asked` is the SQL expression, `arrives` the type of its CSV text, `becomes` the type in Parquet."""

    asked: sql.Composable
    arrives: "PolarsDataType"
    becomes: "PolarsDataType"

    def cast(self, name: str) -> "pl.Expr":
        """The expression that turns what arrived into what it becomes; raises on what does not fit."""
        import polars as pl

        column = pl.col(name)
        if self.becomes == pl.List(pl.Date):
            return column.str.json_decode(pl.List(pl.String)).list.eval(pl.element().str.to_date("%Y-%m-%d"))
        if isinstance(self.becomes, pl.List):
            return column.str.json_decode(self.becomes)
        return column if self.arrives == self.becomes else column.cast(self.becomes, strict=True)


def reading(column: Column) -> Reading:
    """How a column is read."""
    name = sql.Identifier(column.name)
    if column.element is not None:
        return _array(name, column.element)
    asked, arrives, becomes = _scalar(column.base, column.modifier)
    return Reading(sql.SQL(asked).format(name), arrives, becomes)


def _scalar(base: str, modifier: int) -> "tuple[str, PolarsDataType, PolarsDataType]":
    import polars as pl

    plain: dict[str, PolarsDataType] = {
        "int2": pl.Int16,
        "int4": pl.Int32,
        "int8": pl.Int64,
        "oid": pl.UInt32,
        "float4": pl.Float32,
        "float8": pl.Float64,
    }
    if base in plain:
        return "{}", plain[base], plain[base]
    if base == "numeric":
        return _numeric(modifier)
    converted: dict[str, tuple[str, PolarsDataType, PolarsDataType]] = {
        "bool": ("{}::int", pl.Int8, pl.Boolean),
        "date": (_EPOCH, pl.Int32, pl.Date),
        "timestamp": (_MICROSECONDS, pl.Int64, pl.Datetime("us")),
        "timestamptz": (_MICROSECONDS, pl.Int64, pl.Datetime("us", "UTC")),
    }
    return converted.get(base, ("{}::text", pl.String, pl.String))


def _numeric(modifier: int) -> "tuple[str, PolarsDataType, PolarsDataType]":
    """atttypmod of numeric(p,s) is (p << 16 | s, 11 bits, signed) + 4; -1 where neither is given."""
    import polars as pl

    precision, scale = (modifier - 4) >> 16, ((modifier - 4) & 0x7FF ^ 0x400) - 0x400
    if modifier < 0 or not 0 <= scale <= precision <= MOST_DIGITS:
        return "{}::float8", pl.Float64, pl.Float64
    return "{}", pl.String, pl.Decimal(precision, scale)


def _array(name: sql.Identifier, element: str) -> Reading:
    """Arrays of one dimension become lists; items of other types than these stay text."""
    import polars as pl

    items: dict[str, PolarsDataType] = {
        "int2": pl.Int16,
        "int4": pl.Int32,
        "int8": pl.Int64,
        "float4": pl.Float32,
        "float8": pl.Float64,
        "bool": pl.Boolean,
        "date": pl.Date,
    }
    asked = "to_json({})" if element in items or element in ("text", "varchar") else "to_json({}::text[])"
    return Reading(sql.SQL(asked).format(name), pl.String, pl.List(items.get(element, pl.String)))
