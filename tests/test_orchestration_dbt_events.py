"""What is told of the tables and views that dbt built."""

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetMaterialization, MetadataValue

from orchestration.assets.dbt_events import events_of
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import query


class Invocation:
    """A finished `dbt build` of two models, as far as its events are read."""

    target_path = Path("nowhere")

    def __init__(self, **materialized: str):
        self.manifest = {"nodes": {f"model.{name}": node(name, kind) for name, kind in materialized.items()}}

    def stream(self) -> Any:
        for unique_id in self.manifest["nodes"]:
            yield AssetMaterialization(unique_id, metadata={"unique_id": MetadataValue.text(unique_id)})


def node(name: str, materialized: str) -> dict[str, Any]:
    about = {"schema": "told", "alias": name, "name": name, "package_name": "p", "original_file_path": "none.sql"}
    config = {"materialized": materialized}
    return {"resource_type": "model", "depends_on": {"nodes": []}, "config": config, **about}


@pytest.mark.integration
def test_a_view_s_rows_are_not_counted(warehouse_url: str) -> None:
    query(warehouse_url, "create schema told; create table told.counted as select 1 as a; select 1")
    # Whoever counts its rows divides by zero.
    query(warehouse_url, "create view told.seen as select a from told.counted where 1 / (a - 1) > 0; select 1")
    invocation: Any = Invocation(counted="table", seen="view")
    warehouse, translator = WarehouseResource(url=warehouse_url), None
    events = list(events_of(invocation, translator, warehouse))  # type: ignore[arg-type]
    counted, seen = (event.metadata for event in events)
    assert counted["dagster/row_count"].value == 1
    assert "dagster/row_count" not in seen
    assert [column.name for column in seen["dagster/column_schema"].value.columns] == ["a"]
