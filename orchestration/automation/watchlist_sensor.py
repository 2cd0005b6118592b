"""Watchlists become partitions: added as they appear in their table, removed as they vanish."""

import json

from dagster import DefaultSensorStatus, RunRequest, SensorEvaluationContext, SensorResult, sensor

from orchestration.automation.partitioned_jobs import watchlist_briefs
from orchestration.automation.partitions import WATCHLISTS
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings
from orchestration.watch.matching import is_built
from orchestration.watch.store import watchlists
from orchestration.watch.watchlist import Watchlist


@sensor(
    name="watchlists",
    job=watchlist_briefs,
    minimum_interval_seconds=30,
    # It does nothing before somebody makes a watchlist, and then it is wanted.
    default_status=DefaultSensorStatus.RUNNING,
    description="Adds a partition for each new watchlist, removes those of vanished ones. Asks for a new one's brief "
    "where automation conditions, which do that, are switched off.",
)
def watchlist_sensor(context: SensorEvaluationContext, warehouse: WarehouseResource) -> SensorResult:
    """One query a tick. The cursor holds the run keys that were asked for, of watchlists that are still there."""
    watched = {_run_key(one): one.slug for one in watchlists(warehouse.url)}
    slugs, present = set(watched.values()), set(context.instance.get_dynamic_partitions(WATCHLISTS.name or ""))
    asked = set(json.loads(context.cursor or "[]")) & watched.keys()
    new = watched.keys() - asked
    if settings().automates or (new and not is_built(warehouse.url)):
        # Automation conditions ask for what is missing. And a brief of marts that are not built yet would only fail:
        # it is asked for once they are.
        new = set()
    appeared, vanished = sorted(slugs - present), sorted(present - slugs)
    return SensorResult(
        run_requests=[RunRequest(run_key=key, partition_key=watched[key]) for key in sorted(new)],
        dynamic_partitions_requests=[
            *([WATCHLISTS.build_add_request(appeared)] if appeared else []),
            *([WATCHLISTS.build_delete_request(vanished)] if vanished else []),
        ],
        cursor=json.dumps(sorted(asked | new)),
    )


def _run_key(watchlist: Watchlist) -> str:
    """One that was removed and made again is another: it gets a brief of its own."""
    assert watchlist.created_at is not None
    return f"{watchlist.slug}@{watchlist.created_at.isoformat()}"
