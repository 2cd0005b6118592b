"""The warehouse as a Dagster resource."""

from contextlib import closing
from typing import Any

from dagster import ConfigurableResource, EnvVar, TableColumn, TableSchema

from orchestration.warehouse import connect

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
        rows: dict[str, Any] = {}
        with closing(connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(COLUMNS, (relation,))
            columns = [TableColumn(name, kind, description) for name, kind, description in cursor]
            if not is_view:
                cursor.execute(f"select count(*) from {relation}")
                ((rows["dagster/row_count"],),) = cursor.fetchall()
        return {**rows, "dagster/column_schema": TableSchema(columns), "dagster/table_name": relation}
