"""Watchlists as assets: a partition is one watchlist, or one watchlist's week."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    Failure,
    MaterializeResult,
    MultiPartitionKey,
    PipesSubprocessClient,
    asset,
)

from orchestration.assets.names import OWNERS
from orchestration.assets.reports import GROUP, TABLES
from orchestration.automation.partitions import TIMEZONE, WATCHLIST_WEEKS, WATCHLISTS
from orchestration.reports.render import published
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings
from orchestration.watch import matching, pages, store
from orchestration.watch.watchlist import Watchlist, WatchlistError

WATCHLIST_TRIALS = AssetKey([GROUP, "watchlist_trials"])
WATCHLIST_BRIEF = AssetKey([GROUP, "watchlist_brief"])
WEEKLY_DIGEST = AssetKey([GROUP, "weekly_digest"])
NAMES = AssetKey(["intermediate", "int_trial_terms"])
TRIALS = AssetKey(["analytics", "dim_trials"])
CHANGES = AssetKey(["analytics", "fct_trial_changes"])


@asset(
    key=WATCHLIST_TRIALS,
    deps=[NAMES, TRIALS],
    partitions_def=WATCHLISTS,
    io_manager_key=TABLES,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars", "table"},
    description="The trials that a watchlist finds: status, phase, sponsor, dates, and the names that it found.",
    code_version="1",
)
def watchlist_trials(context: AssetExecutionContext, warehouse: WarehouseResource) -> Any:
    """A DataFrame of the trials that match one watchlist now, latest update first."""
    watched = _watchlist(warehouse, context.partition_key)
    table = matching.trials(warehouse.url, watched)
    context.add_output_metadata({"watchlist": str(watched)})
    return table


@asset(
    key=WATCHLIST_BRIEF,
    ins={"trials": AssetIn(WATCHLIST_TRIALS)},
    deps=[CHANGES],
    partitions_def=WATCHLISTS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"typescript", "vega"},
    description=f"A watchlist's page: its trials, what changed in them in {pages.CHANGE_DAYS} days, what is ahead.",
    code_version="1",
    output_required=False,
)
def watchlist_brief(
    context: AssetExecutionContext, warehouse: WarehouseResource, pipes: PipesSubprocessClient, trials: Any
) -> Iterator[MaterializeResult[Any]]:
    """Draw one watchlist's page. Without Node nothing is materialized, and one line says so."""
    watched = _watchlist(warehouse, context.partition_key)
    now = datetime.now(ZoneInfo(TIMEZONE))
    changed = matching.changes(warehouse.url, watched, now - timedelta(days=pages.CHANGE_DAYS), now)
    report = pages.brief(watched, now.date(), trials, changed, settings())
    yield from published(context, pipes, report, f"watchlist_brief/{watched.slug}", now.date().isoformat())


@asset(
    key=WEEKLY_DIGEST,
    deps=[NAMES, TRIALS, CHANGES],
    partitions_def=WATCHLIST_WEEKS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"typescript", "vega"},
    description="What changed in a watchlist's trials from Monday to Sunday, on a page of its own.",
    code_version="1",
    output_required=False,
)
def weekly_digest(
    context: AssetExecutionContext, warehouse: WarehouseResource, pipes: PipesSubprocessClient
) -> Iterator[MaterializeResult[Any]]:
    """Draw the page of one watchlist and week. The trials are those that match now, the changes those of the week."""
    assert isinstance(context.partition_key, MultiPartitionKey)
    slug, week = (context.partition_key.keys_by_dimension[name] for name in ("watchlist", "week"))
    watched = _watchlist(warehouse, slug)
    monday = date.fromisoformat(week)
    window = context.partition_time_window
    changed = matching.changes(warehouse.url, watched, window.start, window.end)
    report = pages.digest(watched, monday, changed, settings())
    yield from published(context, pipes, report, f"weekly_digest/{slug}", week)


def _watchlist(warehouse: WarehouseResource, slug: str) -> Watchlist:
    """The watchlist of a partition. One that was removed meanwhile is no reason to try again."""
    try:
        return store.find(warehouse.url, slug)
    except WatchlistError as gone:
        raise Failure(str(gone), allow_retries=False) from None
