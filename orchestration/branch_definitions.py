"""What a branch deployment defines: its own models, and the shared tables that they read as external assets."""

from collections.abc import Iterator
from typing import Any

from dagster import AssetKey, AssetsDefinition, AssetSelection, Definitions, define_asset_job

# Asset keys that begin so are made in production alone: what is loaded, and what is paid for.
SHARED = {"raw_ctgov", "enrichment"}
# What others rely on: it is published of the shared schemas only.
PUBLISHED = AssetKey(["reports", "export"])


def branch_definitions(whole: Definitions, job_name: str) -> Definitions:
    """The definitions without whatever would load from a registry, pay for an answer, or start by itself.

    Of jobs `job_name` is left, with all that a branch builds; schedules and sensors are none: a branch is built when
    somebody asks. The shared assets stay in the graph, as what is made elsewhere.
    """
    assets = list(_branched(whole))
    own = [asset for asset in assets if isinstance(asset, AssetsDefinition) and asset.is_executable]
    keys = {key for asset in own for key in asset.keys if asset.partitions_def is None}
    job = define_asset_job(
        job_name, selection=AssetSelection.assets(*keys), description="Build all that this branch has of its own."
    )
    return Definitions(
        assets=assets,
        asset_checks=whole.asset_checks,
        jobs=[job],
        resources=whole.resources,
        executor=whole.executor,
    )


def _branched(whole: Definitions) -> Iterator[Any]:
    for asset in whole.assets or ():
        if isinstance(asset, AssetsDefinition) and PUBLISHED in asset.keys:
            continue
        if isinstance(asset, AssetsDefinition) and any(map(_is_shared, asset.keys)):
            for spec in asset.specs:
                yield spec.replace_attributes(automation_condition=None)
        else:
            yield asset


def _is_shared(key: AssetKey) -> bool:
    return key.path[0] in SHARED
