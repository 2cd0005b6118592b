"""What is exported is what the database held: flat files, Parquet and dump of a filled warehouse, read back."""

import io
import math
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import polars as pl
import psycopg2
import pytest
from psycopg2 import sql

from orchestration.export.check import verify
from orchestration.export.errors import ExportError
from orchestration.export.manifest import Manifest, read_manifest
from orchestration.export.postgres_programs import connection, pg_restore
from orchestration.local.postgres import EmbeddedPostgres
from tests.export_warehouse import ODD, copied, execute, exported, rows

pytestmark = pytest.mark.integration
SUM = "select count(*), sum(hashtextextended(t::text, 0)) from {} t"


@pytest.fixture(scope="module")
def warehouse(postgres_server: EmbeddedPostgres, _filled_template: str) -> Iterator[str]:
    with copied(postgres_server.url("postgres"), _filled_template, "exported") as url:
        execute(url, ODD)
        yield url


@pytest.fixture(scope="module")
def export(warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exports")
    published, _ = exported(warehouse, directory)
    assert published.path == (directory / "latest").resolve()
    return published.path


@pytest.fixture(scope="module")
def manifest(export: Path) -> Manifest:
    return read_manifest(export)


@pytest.fixture(scope="module")
def odd(export: Path) -> pl.DataFrame:
    return pl.read_parquet(export / "parquet/analytics/odd.parquet").sort("id")


def test_every_table_and_view_is_there_and_nothing_of_dbt_s_own(warehouse: str, manifest: Manifest) -> None:
    tables = rows(
        warehouse, "select schemaname || '.' || tablename from pg_tables where schemaname in ('ctgov', 'analytics')"
    )
    meant = {name for (name,) in tables} | {"analytics.odd_view"}
    assert set(manifest.rows) == meant - {"analytics._hidden", "analytics.odd__dbt_backup"}
    for name, count in manifest.rows.items():
        assert rows(warehouse, f"select count(*) from {name}") == [(count,)]


def test_the_manifest_tells_what_when_and_with_what(warehouse: str, manifest: Manifest, export: Path) -> None:
    ((timestamp,),) = rows(warehouse, "select data_timestamp::text from raw_ctgov.registry_versions")
    assert manifest.registry_timestamp == timestamp
    assert manifest.versions["postgres"] == "18"
    assert {file.path for file in manifest.files} >= {"dump/bioloupe.dump", "parquet/ctgov/studies.parquet"}
    (nct_id,) = [c for c in manifest.columns("ctgov.studies") if c["name"] == "nct_id"]
    assert (nct_id["type"], nct_id["parquet"]) == ("character varying", "String")
    assert "ClinicalTrials.gov identifier" in nct_id["description"]
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=export, capture_output=True, text=True, check=False)
    assert sums.returncode == 0, sums.stdout
    assert verify(export, manifest) == []


def test_flat_files_read_back_by_postgres_are_the_tables(warehouse: str, manifest: Manifest, export: Path) -> None:
    with closing(psycopg2.connect(warehouse)) as session, session.cursor() as cursor:
        for schema in ("ctgov", "analytics"):
            with zipfile.ZipFile(export / f"flat/{schema}_pipe-delimited-export.zip") as archive:
                for member in archive.namelist():
                    name = member.removesuffix(".txt")
                    columns = _columns(manifest, f"{schema}.{name}")
                    _read_back(cursor, sql.Identifier(schema, name), columns, archive.open(member))
                    assert cursor.fetchall() == [], member


def _read_back(cursor: Any, table: sql.Identifier, columns: sql.Composable, stream: IO[bytes]) -> None:
    """Copy the file into a table like `table`, and ask for the rows that only one of the two has."""
    cursor.execute("drop table if exists again")
    cursor.execute(sql.SQL("create temp table again as select {} from {} limit 0").format(columns, table))
    cursor.copy_expert("copy again from stdin with (format csv, delimiter '|', header match)", stream)
    cursor.execute(
        sql.SQL(
            "(select {0} from again except all select {0} from {1}) union all "
            "(select {0} from {1} except all select {0} from again)"
        ).format(columns, table)
    )


def _columns(manifest: Manifest, table: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(column["name"]) for column in manifest.columns(table))


def test_flat_files_follow_aact_s_form(export: Path) -> None:
    with zipfile.ZipFile(export / "flat/analytics_pipe-delimited-export.zip") as archive:
        lonely = archive.read("lonely.txt").decode()
        odd = archive.read("odd.txt").decode()
    assert lonely.splitlines()[:3] == ["note", "", '""']
    assert odd.startswith("id|text|short|number|")
    assert '|"Odd|""name"|' in odd.splitlines()[0]
    assert '\n1|"a|pipe"|"a ""quote"""|0.1|1.125|' in odd
    assert '\n3|""|""""""|||||||||' in odd


def test_parquet_has_the_database_s_types(odd: pl.DataFrame) -> None:
    instant = pl.Datetime("us", "UTC")
    assert dict(odd.schema) == {
        "id": pl.Int64, "text": pl.String, "short": pl.String, "number": pl.Float64, "price": pl.Decimal(12, 3),
        "share": pl.Float64, "ratio": pl.Float32, "small": pl.Int16, "yes": pl.Boolean, "day": pl.Date,
        "moment": pl.Datetime("us"), "instant": instant, "words": pl.List(pl.String), "numbers": pl.List(pl.Int32),
        "days": pl.List(pl.Date), "document": pl.String, "uuid": pl.String, "span": pl.String, "mood": pl.String,
        "cents": pl.Decimal(12, 2), 'Odd|"name': pl.String, "doubled": pl.Int64,
    }  # fmt: skip


def test_parquet_has_the_database_s_values(odd: pl.DataFrame) -> None:
    first, second, third, fourth = odd.to_dicts()
    assert first["price"] == Decimal("1.125")
    assert first["instant"] == datetime(2024, 2, 29, 10, 0, 0, 123456, timezone.utc)
    assert first["words"] == ["a", "b,c", 'd"e', None, ""]
    assert (first["numbers"], first["days"]) == ([1, None, -3], [date(2024, 2, 29)])
    assert (first["share"], first["span"], first["mood"]) == (1 / 3, "P1DT2H", "glad")
    assert (second["text"], second["short"], second["words"]) == ("two\nlines", "\r\n", [])
    assert (second["day"], second["moment"]) == (date(1, 1, 1), datetime(1900, 1, 1))
    assert math.isnan(second["share"])
    assert math.isinf(second["ratio"])
    assert second["instant"] == datetime(9999, 12, 31, 23, 59, 59, 999999, timezone.utc)
    assert third == {**dict.fromkeys(third), "id": 3, "text": "", "short": '""', "doubled": 6}
    assert (fourth["text"], fourth["short"]) == ("\\.", "back\\slash\ttab")
    assert fourth["moment"] == datetime(1969, 12, 31, 23, 59, 59, 999999)
    assert fourth["words"] == ["é", "日本", "\U0001f9ec"]


@pytest.mark.parametrize("table", ["ctgov.studies", "ctgov.eligibilities", "analytics.dim_trials"])
def test_parquet_of_the_registry_s_tables_is_the_tables(warehouse: str, export: Path, table: str) -> None:
    frame = pl.read_parquet(export / f"parquet/{table.replace('.', '/')}.parquet")
    meant = rows(warehouse, f"select {', '.join(frame.columns)} from {table}")
    plain = [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in meant]
    assert sorted(map(repr, plain)) == sorted(map(repr, frame.rows()))


def test_single_columns_of_nulls_and_empty_tables_survive(export: Path) -> None:
    lonely = pl.read_parquet(export / "parquet/analytics/lonely.parquet")
    assert lonely["note"].to_list() == [None, "", "\\.", "\\.", "x"]
    empty = pl.read_parquet(export / "parquet/analytics/empty.parquet")
    assert (empty.height, dict(empty.schema)) == (0, {"id": pl.Int32, "note": pl.String})


def test_the_dump_restores_into_an_empty_database(
    warehouse: str, export: Path, manifest: Manifest, postgres_server: EmbeddedPostgres
) -> None:
    with copied(postgres_server.url("postgres"), "template0", "restored") as url:
        dsn, environment = connection(url)
        command = [str(pg_restore()), "--no-owner", "--exit-on-error", f"--dbname={dsn}", "dump/bioloupe.dump"]
        done = subprocess.run(command, cwd=export, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for table in manifest.rows:
            assert rows(url, SUM.format(table)) == rows(warehouse, SUM.format(table)), table
        ((kept,),) = rows(url, "select count(*) from pg_class where relname in ('_hidden', 'odd__dbt_backup')")
        assert kept == 0


def test_a_value_that_parquet_cannot_hold_is_told_with_its_table(warehouse: str, tmp_path: Path) -> None:
    execute(warehouse, "create table analytics.endless as select 'infinity'::date as day")
    try:
        with pytest.raises(ExportError, match=r"analytics.endless cannot be .*infinite.*--format flat,dump"):
            exported(warehouse, tmp_path, ("endless",))
        _, manifest = exported(warehouse, tmp_path, ("endless",), ("flat", "dump"))
        assert manifest.rows == {"analytics.endless": 1}
    finally:
        execute(warehouse, "drop table analytics.endless")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda d: (d / "dump/bioloupe.dump").unlink(), "dump/bioloupe.dump: missing"),
        (lambda d: (d / "parquet/new.parquet").touch(), "parquet/new.parquet: not in the manifest"),
        (lambda d: _flip(d / "parquet/ctgov/sponsors.parquet", -3), "sponsors.parquet is damaged"),
        (lambda d: _flip(d / "flat/ctgov_pipe-delimited-export.zip", 5_000), "is damaged"),
        (lambda d: _flip(d / "dump/bioloupe.dump", 0), "cannot read"),
        (lambda d: _fewer(d / "parquet/ctgov/sponsors.parquet"), "sponsors.parquet: changed, its SHA-256"),
        (lambda d: _again(d / "flat/ctgov_pipe-delimited-export.zip"), "export.zip: changed, its SHA-256"),
    ],
)
def test_damage_is_found(export: Path, manifest: Manifest, tmp_path: Path, damage: Any, told: str) -> None:
    subprocess.run(["cp", "-r", str(export), str(tmp_path / "copy")], check=True)
    damage(tmp_path / "copy")
    problems = verify(tmp_path / "copy", manifest)
    assert len(problems) == 1
    assert told in problems[0]


def test_a_changed_manifest_is_found(export: Path, tmp_path: Path) -> None:
    for name in ("manifest.json", "SHA256SUMS"):
        (tmp_path / name).write_bytes((export / name).read_bytes())
    (tmp_path / "manifest.json").write_text((export / "manifest.json").read_text().replace('"rows": 1', '"rows": 2', 1))
    with pytest.raises(ExportError, match="changed after it was published"):
        read_manifest(tmp_path)
    with pytest.raises(ExportError, match="no published export"):
        read_manifest(tmp_path / "nowhere")


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def _fewer(path: Path) -> None:
    pl.read_parquet(path).head(3).write_parquet(path)


def _again(path: Path) -> None:
    """The same files, in another zip."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    path.write_bytes(held.getvalue())
