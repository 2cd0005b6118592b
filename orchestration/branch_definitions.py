"""What a branch deployment defines: dbt's models as its own, everything else as external assets."""

from collections.abc import Iterator
from typing import Any

from dagster import AssetKey, AssetsDefinition, AssetSelection, Definitions, define_asset_job

from orchestration.warehouse import BRANCHED


def branch_definitions(whole: Definitions, job_name: str) -> Definitions:
    """The definitions without whatever would load, pay for an answer, publish, alert, or start by itself.

    A branch builds what dbt models, and runs dbt's tests. Of jobs `job_name` is left, with all of that; schedules and
    sensors are none: a branch is built when somebody asks. All other assets stay in the graph, as made elsewhere.
    """
    assets = list(_branched(whole))
    own = [asset for asset in assets if isinstance(asset, AssetsDefinition) and asset.is_executable]
    keys = {key for asset in own for key in asset.keys if asset.partitions_def is None}
    job = define_asset_job(
        job_name, selection=AssetSelection.assets(*keys), description="Build all that this branch has of its own."
    )
    return Definitions(
        assets=assets,
        jobs=[job],
        resources=whole.resources,
        executor=whole.executor,
    )


def _branched(whole: Definitions) -> Iterator[Any]:
    for asset in whole.assets or ():
        if isinstance(asset, AssetsDefinition) and not all(map(_is_own, asset.keys)):
            for spec in asset.specs:
                yield spec.replace_attributes(automation_condition=None)
        else:
            yield asset


def _is_own(key: AssetKey) -> bool:
    return key.path[0] in BRANCHED
