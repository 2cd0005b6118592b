"""How the warehouse's checks stand, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.definitions.assets.graph.asset_graph import AssetGraph


def told(instance: DagsterInstance, graph: AssetGraph) -> str:
    """The newest result of every check: `412 passed`, `410 passed, 2 failed`, or `none run`."""
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(graph.asset_check_keys))
    statuses = [record.status for record in newest.values()]
    passed = statuses.count(AssetCheckExecutionRecordStatus.SUCCEEDED)
    failed = statuses.count(AssetCheckExecutionRecordStatus.FAILED)
    if not passed + failed:
        return "none run"
    return f"{passed:,} passed" + (f", {failed:,} failed" if failed else "")
