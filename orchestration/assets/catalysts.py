"""What falls due on each trading day, as an asset."""

from datetime import date
from typing import Any

from dagster import AssetExecutionContext, AssetKey, asset

from orchestration.assets.names import OWNERS
from orchestration.assets.reports import GROUP, TABLES
from orchestration.automation.partitions import TRADING_DAYS
from orchestration.resources.warehouse import WarehouseResource
from orchestration.watch import catalysts as due

CATALYSTS = AssetKey([GROUP, "catalysts"])


@asset(
    key=CATALYSTS,
    deps=[AssetKey(["analytics", "fct_trial_due_dates"])],
    partitions_def=TRADING_DAYS,
    io_manager_key=TABLES,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars", "table"},
    description="Trials whose primary completion or results fall due on a trading day, or since the one before.",
    code_version="1",
)
def catalysts(context: AssetExecutionContext, warehouse: WarehouseResource) -> Any:
    """A DataFrame, one row per trial and what falls due: sponsor, phase, dates, days since."""
    table = due.catalysts(warehouse.url, [date.fromisoformat(context.partition_key)])
    counts = dict(table["falls_due"].value_counts().iter_rows())
    context.add_output_metadata(
        {"primary_completions": counts.get("primary completion", 0), "results": counts.get("results", 0)}
    )
    return table
