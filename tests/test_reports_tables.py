"""DataFrames between assets: what is written comes back, from files and from Postgres, whole and by partition."""

from collections.abc import Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    DagsterInstance,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
    asset,
    materialize,
)

from orchestration.reports.frames import UnknownType, postgres_type
from orchestration.resources.tables import DatabaseTables, ParquetTables, preview, tables
from orchestration.settings import Settings
from orchestration.warehouse import query

LISTS = StaticPartitionsDefinition(["KRAS G12C", "a/b", "none"])
GRID = MultiPartitionsDefinition({"list": StaticPartitionsDefinition(["x"]), "week": StaticPartitionsDefinition(["1"])})
TABLE = pl.DataFrame(
    {
        "id": ["NCT1", "NCT2"],
        "words": ["a|b\n'c'", None],
        "empty": ["", "x"],
        "count": [1, None],
        "share": [0.5, None],
        "cost": [Decimal("1.25"), Decimal("-0.01")],
        "is_open": [True, False],
        "day": [date(2026, 2, 28), None],
        "moment": [datetime(2026, 1, 1, 5, tzinfo=timezone.utc), None],
        "hour": [time(2, 0), None],
    }
)


@pytest.fixture(params=["files", "postgres"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "files":
        yield ParquetTables(folder=str(tmp_path / "tables"))
    else:
        yield DatabaseTables(url=request.getfixturevalue("warehouse_url"), db_schema="reports")


def pass_on(manager: Any, made: Any, partitions: Any = None, partition: str | None = None) -> tuple[Any, Any]:
    """Let one asset make a table and another read it: what arrived, and the first one's metadata."""
    arrived: list[Any] = []

    @asset(key=["reports", "made"], io_manager_key="tables", partitions_def=partitions)
    def maker() -> pl.DataFrame:
        return made  # type: ignore[no-any-return]

    @asset(ins={"made": AssetIn(AssetKey(["reports", "made"]))}, partitions_def=partitions)
    def taker(made: Any) -> None:
        arrived.append(made)

    result = materialize(
        [maker, taker],
        resources={"tables": manager},
        partition_key=partition,
        instance=DagsterInstance.ephemeral(),
    )
    (event,) = result.asset_materializations_for_node("reports__made")
    return arrived[0], {name: value.value for name, value in event.metadata.items()}


@pytest.mark.integration
def test_a_table_arrives_as_it_was_made(manager: Any) -> None:
    arrived, about = pass_on(manager, TABLE)
    assert arrived.equals(TABLE)
    assert arrived.schema == TABLE.schema
    assert about["dagster/row_count"] == 2
    assert [column.name for column in about["dagster/column_schema"].columns] == TABLE.columns
    assert "NCT1" in about["preview"]


@pytest.mark.integration
def test_the_next_run_replaces_it_whatever_its_columns(manager: Any) -> None:
    pass_on(manager, TABLE)
    for table in (TABLE.head(1), pl.DataFrame({"other": [1]}), pl.DataFrame()):
        assert pass_on(manager, table)[0].equals(table)


@pytest.mark.integration
def test_partitions_keep_apart(manager: Any) -> None:
    first, second = TABLE.head(1), TABLE.tail(1).with_columns(pl.lit("new").alias("more"))
    assert pass_on(manager, first, LISTS, "KRAS G12C")[0].equals(first)
    assert pass_on(manager, second, LISTS, "a/b")[0].equals(second)
    again, _ = pass_on(manager, TABLE, LISTS, "KRAS G12C")
    assert again.select(TABLE.columns).equals(TABLE)


@pytest.mark.integration
def test_two_dimensions_are_one_partition(manager: Any) -> None:
    key = MultiPartitionKey({"list": "x", "week": "1"})
    assert pass_on(manager, TABLE, GRID, key)[0].equals(TABLE)


@pytest.mark.integration
def test_who_reads_all_partitions_gets_each_by_its_name(manager: Any) -> None:
    arrived: dict[str, pl.DataFrame] = {}

    @asset(key=["reports", "made"], io_manager_key="tables", partitions_def=LISTS)
    def maker(context: AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"name": [context.partition_key]})

    @asset(ins={"made": AssetIn(AssetKey(["reports", "made"]))})
    def taker(made: Any) -> None:
        arrived.update(made)

    instance = DagsterInstance.ephemeral()
    for name in LISTS.get_partition_keys():
        materialize([maker], resources={"tables": manager}, partition_key=name, instance=instance)
    materialize([maker, taker], selection=[taker], resources={"tables": manager}, instance=instance)
    assert {name: table["name"].to_list() for name, table in arrived.items()} == {
        name: [name] for name in LISTS.get_partition_keys()
    }


@pytest.mark.integration
def test_a_table_that_was_never_made_is_named_with_the_remedy(manager: Any) -> None:
    @asset(key=["reports", "made"], io_manager_key="tables")
    def maker() -> pl.DataFrame:
        return TABLE

    @asset(ins={"made": AssetIn(AssetKey(["reports", "made"]))})
    def taker(made: Any) -> None: ...

    with pytest.raises(Exception, match="materialize reports/made first"):
        materialize([maker, taker], selection=[taker], resources={"tables": manager})


@pytest.mark.integration
def test_views_and_grants_on_a_table_outlive_its_rows(warehouse_url: str) -> None:
    manager = DatabaseTables(url=warehouse_url, db_schema="reports")
    pass_on(manager, TABLE)
    query(warehouse_url, "create view public.seen as select id from reports.made; select 1")
    pass_on(manager, TABLE.head(1))
    assert query(warehouse_url, "select id from public.seen") == [("NCT1",)]


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(pl.UInt32(), "bigint"), (pl.Categorical(), "text"), (pl.Null(), "text"), (pl.Decimal(10, 2), "numeric(10,2)")],
)
def test_types_find_room(dtype: pl.DataType, kind: str) -> None:
    assert postgres_type("c", dtype) == kind


def test_a_type_without_room_is_named() -> None:
    with pytest.raises(UnknownType, match="column c is of type List"):
        postgres_type("c", pl.List(pl.Int64))


def test_a_preview_is_one_markdown_table() -> None:
    lines = preview(TABLE.select("id", "words")).splitlines()
    assert lines == ["| id | words |", "| --- | --- |", "| NCT1 | a\\|b 'c' |", "| NCT2 |  |"]


@pytest.mark.parametrize(("env", "kind"), [("dev", ParquetTables), ("ci", ParquetTables), ("prod", DatabaseTables)])
def test_the_environment_decides_where_tables_are(own_settings: None, env: str, kind: type) -> None:
    assert isinstance(tables(Settings(BIOLOUPE_ENV=env)), kind)
