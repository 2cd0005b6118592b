"""What is to be exported and where to, checked before anything is begun."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from orchestration.export.errors import ExportError
from orchestration.export.tables import SCHEMAS, Table

FORMATS = ("flat", "parquet", "dump")


@dataclass(frozen=True)
class Options:
    """`tables` are names with or without their schema; empty means every table."""

    directory: Path
    formats: tuple[str, ...] = FORMATS
    keep: int = 3
    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = SCHEMAS


def chosen_formats(names: list[str]) -> tuple[str, ...]:
    """The formats that are named, in their usual order. Raises ExportError for one that does not exist."""
    unknown = sorted(set(names) - set(FORMATS))
    if unknown or not names:
        raise ExportError(f"unknown format {', '.join(unknown) or '(none)'}: choose among {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in names)


def chosen_tables(tables: list[Table], options: Options) -> list[Table]:
    """The tables that the options name. Raises ExportError where there are none, or a name is unknown."""
    if not tables:
        raise ExportError(
            f"there is nothing to export: {' and '.join(options.schemas)} hold no tables. `bioloupe refresh` first."
        )
    if not options.tables:
        return tables
    by_name = {name: table for table in tables for name in (table.name, table.full_name)}
    for name in options.tables:
        if name not in by_name:
            close = get_close_matches(name, by_name, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else "`bioloupe status` shows what there is"
            raise ExportError(f"there is no table {name} in {' or '.join(options.schemas)}: {hint}")
    wanted = {by_name[name].oid for name in options.tables}
    return [table for table in tables if table.oid in wanted]
