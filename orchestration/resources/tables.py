"""I/O manager `tables`: DataFrames that pass between Python assets, as Parquet files or as tables in Postgres."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import (
    ConfigurableIOManagerFactory,
    EnvVar,
    InputContext,
    MetadataValue,
    OutputContext,
    TableColumn,
    TableSchema,
    UPathIOManager,
)

from orchestration.resources.postgres_tables import PostgresTables
from orchestration.settings import Settings

if TYPE_CHECKING:
    from polars import DataFrame

PREVIEW_ROWS = 10
PREVIEW_LETTERS = 80


def tables(config: Settings) -> ConfigurableIOManagerFactory[Any]:
    """Files where one machine does all the work, the warehouse's schema `reports` where several share it."""
    if config.env in ("dev", "ci") and config.executor == "in_process":
        return ParquetTables(folder=str(config.home / "tables"))
    return DatabaseTables(db_schema=config.schema_of("reports"))


class ParquetTables(ConfigurableIOManagerFactory["ParquetFiles"]):
    """One file per table, `<folder>/<asset key>.parquet`; one per partition, in a folder named after the table."""

    folder: str

    def create_io_manager(self, context: object) -> ParquetFiles:
        from upath import UPath

        return ParquetFiles(UPath(self.folder))


class DatabaseTables(ConfigurableIOManagerFactory[PostgresTables]):
    """One table per asset in the warehouse; partitions are told apart by a column."""

    db_schema: str
    url: str = EnvVar("DATABASE_URL")

    def create_io_manager(self, context: object) -> PostgresTables:
        return PostgresTables(self.url, self.db_schema, about)


class ParquetFiles(UPathIOManager):
    """Reads and writes whole files, so that a reader never sees half of one. Several partitions load as a dict."""

    extension = ".parquet"

    def dump_to_path(self, context: OutputContext, obj: DataFrame, path: Any) -> None:
        draft = Path(f"{path}.{os.getpid()}.draft")
        obj.write_parquet(draft)
        draft.replace(path)

    def load_from_path(self, context: InputContext, path: Any) -> DataFrame:
        import polars

        try:
            return polars.read_parquet(str(path))
        except FileNotFoundError:
            name = context.asset_key.to_user_string()
            raise FileNotFoundError(f"{name} has no table at {path}: materialize {name} first") from None

    def get_metadata(self, context: OutputContext, obj: DataFrame) -> dict[str, Any]:
        return about(obj)


def about(table: DataFrame) -> dict[str, Any]:
    """Metadata of a table: rows, columns with their types, the first rows."""
    columns = [TableColumn(name, str(dtype)) for name, dtype in table.schema.items()]
    return {
        "dagster/row_count": table.height,
        "dagster/column_schema": TableSchema(columns),
        "preview": MetadataValue.md(preview(table)),
    }


def preview(table: DataFrame) -> str:
    """The first rows as a Markdown table."""
    if not table.width:
        return "no columns"
    rows = [table.columns, ["---"] * table.width, *table.head(PREVIEW_ROWS).rows()]
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in rows)


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    short = text if len(text) <= PREVIEW_LETTERS else text[: PREVIEW_LETTERS - 1] + "…"
    return short.replace("|", "\\|")
