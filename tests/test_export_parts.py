"""The export's parts that need no database: records, types, options, programs, publishing."""

import csv
import io
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.export.check import BLOCK, count_records
from orchestration.export.errors import ExportError, explained
from orchestration.export.manifest import NAME
from orchestration.export.options import Options, chosen_formats, chosen_tables
from orchestration.export.parquet_types import reading
from orchestration.export.postgres_programs import connection, pg_dump_for
from orchestration.export.publish import Shelf
from orchestration.export.tables import Column, Table

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
RECORDS = st.lists(st.lists(st.text(alphabet='ab|"\n\r\\.', max_size=8), min_size=2, max_size=3), max_size=20)


def table(name: str, schema: str = "ctgov") -> Table:
    return Table(abs(hash((schema, name))), schema, name, "r", ())


def published(shelf: Shelf, moment: datetime, keep: int = 3) -> Path:
    with shelf.turn():
        partial = shelf.begin(moment)
        (partial / NAME).write_text("{}")
        final = shelf.publish(partial)
        shelf.prune(keep)
    return final


@given(RECORDS)
def test_records_are_counted_as_a_csv_reader_counts_them(records: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter="|", lineterminator="\n").writerows(records)
    assert count_records(io.BytesIO(text.getvalue().encode())) == len(records)


def test_records_longer_than_a_block_and_quotes_at_its_edge() -> None:
    value = '"' + "x" * (BLOCK - 1) + '""\n""\n"'
    assert count_records(io.BytesIO(f"{value}|1\n2|3\n".encode())) == 2


@pytest.mark.parametrize(
    ("base", "modifier", "expected"),
    [
        ("numeric", -1, pl.Float64()),
        ("numeric", (12 << 16 | 3) + 4, pl.Decimal(12, 3)),
        ("numeric", (38 << 16) + 4, pl.Decimal(38, 0)),
        ("numeric", (39 << 16) + 4, pl.Float64()),
        ("numeric", (5 << 16 | (-2 & 0x7FF)) + 4, pl.Float64()),
        ("date", -1, pl.Date()),
        ("timestamptz", -1, pl.Datetime("us", "UTC")),
        ("bool", -1, pl.Boolean()),
        ("jsonb", -1, pl.String()),
        ("tsrange", -1, pl.String()),
    ],
)
def test_types_become_parquet_s(base: str, modifier: int, expected: pl.DataType) -> None:
    assert reading(Column("c", base, True, None, base, None, modifier)).becomes == expected


def test_arrays_become_lists() -> None:
    assert reading(Column("c", "date[]", True, None, "_date", "date", -1)).becomes == pl.List(pl.Date)
    assert reading(Column("c", "uuid[]", True, None, "_uuid", "uuid", -1)).becomes == pl.List(pl.String)


def test_tables_are_chosen_with_or_without_their_schema(tmp_path: Path) -> None:
    tables = [table("studies"), table("sponsors"), table("dim_trials", "analytics")]
    chosen = chosen_tables(tables, Options(tmp_path, tables=("analytics.dim_trials", "studies")))
    assert [t.full_name for t in chosen] == ["ctgov.studies", "analytics.dim_trials"]
    with pytest.raises(ExportError, match="did you mean studies"):
        chosen_tables(tables, Options(tmp_path, tables=("studie",)))
    with pytest.raises(ExportError, match="bioloupe refresh"):
        chosen_tables([], Options(tmp_path))


def test_an_unknown_format_is_an_error_that_names_the_others() -> None:
    assert chosen_formats(["dump", "flat"]) == ("flat", "dump")
    with pytest.raises(ExportError, match="paket: choose among flat, parquet, dump"):
        chosen_formats(["flat", "paket"])
    with pytest.raises(ExportError):
        chosen_formats([])


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("postgresql://me:s%40crets@db:5432/w?sslmode=require", "postgresql://me@db:5432/w?sslmode=require"),
        ("postgresql://me@db/w?password=s%40crets", "postgresql://me@db/w"),
        ("postgresql://me@db/w?password=s%40crets&options=-c%20a%3Db", "postgresql://me@db/w?options=-c%20a%3Db"),
        ("postgresql://:s%40crets@/w?host=%2Fvar%2Frun&password=s%40crets", "postgresql://@/w?host=%2Fvar%2Frun"),
    ],
)
def test_the_password_is_in_the_environment_and_never_in_arguments(url: str, bare: str) -> None:
    dsn, environment = connection(url)
    assert (dsn, environment["PGPASSWORD"]) == (bare, "s@crets")


def test_a_server_newer_than_every_pg_dump_is_an_error_with_the_remedy() -> None:
    with pytest.raises(ExportError, match=r"Postgres 99.*postgresql-client-99.*--format flat,parquet"):
        pg_dump_for(99)


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no space is left.*--keep.*--to"), explained(tmp_path):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")


def test_a_directory_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="--to"), Shelf(tmp_path / "file" / "below").turn():
        pass


def test_latest_moves_to_each_new_export_and_old_ones_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "exports")
    (tmp_path / "exports" / "notes").mkdir(parents=True)
    made = [published(shelf, NOON + timedelta(seconds=second), keep=2) for second in range(4)]
    assert shelf.latest() == made[-1]
    assert os.readlink(shelf.directory / "latest") == made[-1].name
    assert shelf.published() == made[2:]
    assert {path.name for path in shelf.directory.iterdir()} == {
        "latest",
        ".lock",
        "notes",
        *(p.name for p in made[2:]),
    }


def test_two_exports_of_one_second_both_stay_in_order(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    made = [published(shelf, NOON, keep=11) for _ in range(11)]
    assert shelf.published() == made
    assert made[-1].name.endswith("-11")


def test_an_export_that_latest_points_to_is_never_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    first = published(shelf, NOON)
    published(shelf, NOON + timedelta(hours=1))
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(first.name)
    with shelf.turn():
        shelf.prune(1)
    assert first in shelf.published()


def test_while_one_export_is_at_work_another_is_refused(tmp_path: Path) -> None:
    first, second = Shelf(tmp_path), Shelf(tmp_path)
    with first.turn():
        first.begin(NOON)
        with pytest.raises(ExportError, match=r"begun 20261123T120000Z.*wait for it"), second.turn():
            pass


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    (tmp_path / ".partial-20261122T120000Z" / "flat").mkdir(parents=True)
    (tmp_path / ".partial-latest").symlink_to("nowhere")
    published(shelf, NOON)
    assert list(tmp_path.glob(".partial*")) == []


def test_a_directory_called_latest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    with pytest.raises(ExportError, match="in the way"):
        published(Shelf(tmp_path), NOON)
    assert {path.name for path in tmp_path.iterdir()} == {"latest", ".lock"}
