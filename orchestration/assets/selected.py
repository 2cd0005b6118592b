"""Steps that write several tables at once, of which a run may have asked for one."""

from collections.abc import Iterable, Iterator
from typing import Any

from dagster import AssetExecutionContext, AssetMaterialization, MaterializeResult


def selected(
    context: AssetExecutionContext, results: Iterable[MaterializeResult[Any]]
) -> Iterator[MaterializeResult[Any]]:
    """The results of the assets that the run asked for; the others' go into the log as materializations too.

    They were written all the same, and the catalog must not call a table older than it is.
    """
    for result in results:
        key = result.asset_key
        if key is None or key in context.selected_asset_keys:
            yield result
        else:
            context.log_event(AssetMaterialization(key, metadata=result.metadata))
