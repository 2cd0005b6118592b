"""What dbt's steps say of the tables they built: rows, columns with their types, and the columns those come from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagster import TableColumnDep, TableColumnLineage, get_dagster_logger
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation

from orchestration.lineage import column_lineage
from orchestration.resources.warehouse import WarehouseResource

LINEAGE = "dagster/column_lineage"


def events_of(
    invocation: DbtCliInvocation, translator: DagsterDbtTranslator, warehouse: WarehouseResource
) -> Iterator[Any]:
    """dbt's results as Dagster's events, with what the database and the compiled SQL tell of each table.

    dagster-dbt's own `fetch_column_metadata` has dbt's adapter ask for each table's columns in this process: a third of
    the time of a refresh in which nothing has changed.
    """
    for event in invocation.stream():
        unique_id = event.metadata.get("unique_id")
        node = invocation.manifest["nodes"].get(unique_id.value) if unique_id else None
        if node and node["resource_type"] == "model":
            about = warehouse.about(_relation(node), is_view=node["config"]["materialized"] == "view")
            event = event.with_metadata({**event.metadata, **about, **_lineage(node, invocation, translator)})
        yield event


def _lineage(
    node: Mapping[str, Any], invocation: DbtCliInvocation, translator: DagsterDbtTranslator
) -> dict[str, TableColumnLineage]:
    manifest = invocation.manifest
    compiled = Path(invocation.target_path, "compiled", node["package_name"], node["original_file_path"])
    parents = {_relation(parent): parent for parent in _parents(manifest, node)}
    try:
        found = column_lineage(
            compiled.read_text(), {name: list(parent["columns"]) for name, parent in parents.items()}
        )
    except Exception as error:  # the parser of SQL fails in many ways, none of which is worth a night's marts
        get_dagster_logger().warning(f"no column lineage of {node['name']}: {str(error).splitlines()[0]}")
        return {}
    keys = {
        name: translator.get_asset_spec(manifest, parent["unique_id"], invocation.project).key
        for name, parent in parents.items()
    }
    deps = {
        column: [TableColumnDep(keys[table], source) for table, source in sources] for column, sources in found.items()
    }
    return {LINEAGE: TableColumnLineage(deps)}


def _parents(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for unique_id in node["depends_on"]["nodes"]:
        parent = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id)
        if parent:
            yield parent


def _relation(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"
