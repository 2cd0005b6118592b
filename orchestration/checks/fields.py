"""The check for new fields as Dagster sees it: a warning on the loaded studies, which holds nothing back."""

from contextlib import closing

from dagster import AssetCheckResult, AssetChecksDefinition, AssetKey, asset_check

from orchestration.checks.drift import KNOWN_FIELDS, examine_fields
from orchestration.checks.tables import result
from orchestration.resources.warehouse import WarehouseResource
from orchestration.warehouse import connect

STUDIES = AssetKey(["raw_ctgov", "studies"])


def known_fields() -> AssetChecksDefinition:
    """Whether what changed since the last time has only fields that are staged or listed with a reason."""

    @asset_check(
        name=KNOWN_FIELDS,
        asset=STUDIES,
        description="Warning: the registry gives a field that is neither staged nor listed in "
        "orchestration/coverage/leaves.csv, with the number of studies that carry it. Nothing waits for it.",
    )
    def check(warehouse: WarehouseResource) -> AssetCheckResult:
        with closing(connect(warehouse.url)) as connection:
            return result(STUDIES, "raw_ctgov.studies", examine_fields(connection))

    return check
