"""Nothing is paid for, and no mart built, on tables that failed a blocking check in an earlier run."""

from collections.abc import Iterable

from dagster import AssetCheckKey, AssetCheckSeverity, AssetExecutionContext, AssetKey, Failure
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster_shared.check import CheckError

# A run that has this tag builds all the same.
OVERRIDE = "bioloupe/ignore_failed_checks"
MOST_NAMED = 5


def refuse_after_failed_checks(context: AssetExecutionContext) -> None:
    """Stop this step while the latest result of a blocking check of anything upstream of it is a failure.

    Within a run Dagster sees to that itself; this is for a run of this step alone. Raises Failure, not to be retried,
    with the checks that failed and the remedy.
    """
    if context.run.tags.get(OVERRIDE) == "true":
        context.log.warning(f"built whatever the checks say: the run has the tag {OVERRIDE}")
        return
    graph = _whole_graph(context)
    upstream = _ancestors(context.selected_asset_keys, graph)
    checks = [key for key in graph.asset_check_keys if key.asset_key in upstream]
    blocking = [key for key in checks if graph.get_check_spec(key).blocking]
    failed = sorted(f"{'/'.join(key.asset_key.path)}: {key.name}" for key in _failed(context, blocking))
    if failed:
        more = f" and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
        raise Failure(
            "held back: upstream of this, the latest result of a blocking check is a failure "
            f"({', '.join(failed[:MOST_NAMED])}{more}). Mend it and run the job check_only or nightly_refresh; "
            f"to go on all the same, tag the run {OVERRIDE}=true",
            allow_retries=False,
        )


def _whole_graph(context: AssetExecutionContext) -> AssetGraph:
    """The graph with all that is upstream; the graph of a run of some assets ends with their parents."""
    try:
        return context.repository_def.asset_graph
    except CheckError:  # executed without a code location, as Dagster's `execute_in_process` does
        subset = context.job_def.asset_selection_data
        return (subset.parent_job_def if subset else context.job_def).asset_layer.asset_graph


def _failed(context: AssetExecutionContext, checks: list[AssetCheckKey]) -> Iterable[AssetCheckKey]:
    latest = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    for key, record in latest.items():
        evaluation = record.evaluation if record.status == Status.FAILED else None
        if evaluation is not None and evaluation.severity == AssetCheckSeverity.ERROR:
            yield key


def _ancestors(keys: Iterable[AssetKey], graph: AssetGraph) -> set[AssetKey]:
    own = set(keys)
    found: set[AssetKey] = set()
    frontier = set(own)
    while frontier:
        frontier = {parent for key in frontier for parent in graph.get(key).parent_keys} - found
        found |= frontier
    return found - own
