"""When assets are made without a schedule: after what they read has changed, and never on top of what failed a check.

A blocking check ends the run in which it fails. These conditions remember it across runs, and up the whole lineage: an
asset is held back while the latest result of a blocking check of any asset that it descends from is a failure.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any, TypeAlias

from dagster import (
    AssetKey,
    AssetsDefinition,
    AssetSelection,
    AssetSpec,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    DefaultSensorStatus,
    DynamicPartitionsDefinition,
)

from orchestration.automation.partitions import TIMEZONE
from orchestration.settings import settings

# Dagster's types tell apart what evaluates assets and what evaluates checks too; all of these do for assets.
Condition: TypeAlias = AutomationCondition[Any]

# Before the nightly refresh, which makes the reports as well: what it has made is not made again. A refresh that came
# without them, by hand or by backfill, is followed by the reports.
REPORTS_CRON = "0 1 * * *"
# They have jobs of their own, at times of their own.
LEFT_ALONE = {AssetKey(["reports", "export"])}

automation = AutomationConditionSensorDefinition(
    "automation_conditions",
    target=AssetSelection.all(),
    default_status=DefaultSensorStatus.RUNNING if settings().automates else DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=60,
    description="Makes answers and marts after what they read has changed, reports once a day after their data, and "
    "reports of new watchlists; nothing on top of a table that failed a blocking check, in whichever run.",
)


def with_conditions(
    assets: Sequence[AssetsDefinition | AssetSpec], checks: Sequence[AssetsDefinition] = ()
) -> list[AssetsDefinition | AssetSpec]:
    """The same assets, each with the condition under which it is made by itself. `checks`: what else checks them."""
    specs = {spec.key: spec for asset in assets for spec in _specs(asset)}
    guards = [
        check for asset in (*assets, *checks) if isinstance(asset, AssetsDefinition) for check in asset.check_specs
    ]
    checked = {check.asset_key for check in guards if check.blocking}

    def attach(spec: AssetSpec) -> AssetSpec:
        trigger = _trigger(spec)
        if trigger is None:
            return spec
        held = _held_back(sorted(_ancestors(spec.key, specs) & checked))
        return spec.replace_attributes(automation_condition=trigger if held is None else trigger & held)

    return [asset.map_asset_specs(attach) if isinstance(asset, AssetsDefinition) else asset for asset in assets]


def _specs(asset: AssetsDefinition | AssetSpec) -> Iterable[AssetSpec]:
    return asset.specs if isinstance(asset, AssetsDefinition) else [asset]


def _trigger(spec: AssetSpec) -> Condition | None:
    """What calls for an asset by its layer; None for what only schedules, backfills and people make."""
    if spec.key in LEFT_ALONE:
        return None
    if isinstance(spec.partitions_def, DynamicPartitionsDefinition):
        return AutomationCondition.on_missing() | AutomationCondition.on_cron(REPORTS_CRON, TIMEZONE)
    if spec.partitions_def is not None:
        return None
    if spec.group_name in ("enrichment", "analytics"):
        return AutomationCondition.eager()
    if spec.group_name == "reports":
        return AutomationCondition.on_cron(REPORTS_CRON, TIMEZONE)
    return None


def _held_back(checked: Iterable[AssetKey]) -> Condition | None:
    """True where no blocking check of these assets failed when it was last run."""
    failed = AutomationCondition.any_checks_match(AutomationCondition.check_failed(), blocking_only=True)
    sound: list[Any] = [~AutomationCondition.asset_matches(key, failed) for key in checked]
    return reduce(and_, sound).with_label("no failed check upstream") if sound else None


def _ancestors(key: AssetKey, specs: Mapping[AssetKey, AssetSpec]) -> set[AssetKey]:
    found: set[AssetKey] = set()
    frontier = {key}
    while frontier:
        frontier = {dep.asset_key for k in frontier if k in specs for dep in specs[k].deps} - found - {key}
        found |= frontier
    return found
