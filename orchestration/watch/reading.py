"""Tables of the marts as DataFrames, wherever this deployment has them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from psycopg2 import errors

from orchestration.reports.frames import fetched
from orchestration.settings import ConfigurationError, settings
from orchestration.warehouse import BRANCHED, connect

if TYPE_CHECKING:
    from polars import DataFrame


class NotBuilt(ConfigurationError):
    """A table that is read is not there yet; the message says how it gets there."""


def read(url: str, statement: str, parameters: Mapping[str, Any]) -> DataFrame:
    """All rows of a statement in which `{analytics}` and the like stand for schemas. Raises NotBuilt."""
    schemas = {layer: settings().schema_of(layer) for layer in BRANCHED}
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        try:
            cursor.execute("set time zone 'UTC'")
            cursor.execute(statement.format(**schemas), parameters)
        except (errors.UndefinedTable, errors.UndefinedColumn) as missing:
            what = str(missing).splitlines()[0]
            raise NotBuilt(f"the warehouse is not built yet ({what}): run `bioloupe refresh`") from None
        return fetched(cursor)
