"""The warehouse as a Dagster resource."""

from typing import Any

from dagster import ConfigurableResource, EnvVar, TableColumn, TableSchema

from orchestration.warehouse import query

COLUMNS = """
select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""


class WarehouseResource(ConfigurableResource[Any]):
    """Where the warehouse is. `bioloupe` commands set DATABASE_URL for everything they start."""

    url: str = EnvVar("DATABASE_URL")

    def about(self, relation: str, *, is_view: bool = False) -> dict[str, Any]:
        """Metadata of a table as it stands: rows, columns with their types and comments, its name.

        A view's rows are not counted: it holds none of its own, and may take long to give them.
        """
        columns = [
            TableColumn(name, kind, description) for name, kind, description in query(self.url, COLUMNS, (relation,))
        ]
        rows = {} if is_view else {"dagster/row_count": query(self.url, f"select count(*) from {relation}")[0][0]}
        return {
            **rows,
            "dagster/column_schema": TableSchema(columns),
            "dagster/table_name": relation,
        }
