"""Names that several assets share: groups, owners and the registry at the head of the lineage."""

from dagster import AssetKey, AssetSpec

from orchestration.settings import PUBLIC_CTGOV_API_URL

OWNERS = ["team:data-platform"]
REGISTRY = AssetKey(["clinicaltrials_gov", "api"])
STUDIES = AssetKey(["raw_ctgov", "studies"])
# What else writes `raw_ctgov.studies`: the weekly sweep, and windows by kind.
RECONCILIATION = AssetKey(["raw_ctgov", "reconciliation"])
BACKFILLED = {
    "update_day": AssetKey(["raw_ctgov", "studies_by_update_day"]),
    "first_posted_month": AssetKey(["raw_ctgov", "studies_by_first_posted_month"]),
    "study_type": AssetKey(["raw_ctgov", "studies_by_type"]),
}

registry = AssetSpec(
    key=REGISTRY,
    group_name="ingestion",
    description="ClinicalTrials.gov, API v2: the registry as its publisher serves it. Nothing here writes to it.",
    owners=OWNERS,
    kinds={"api"},
    metadata={"dagster/uri": PUBLIC_CTGOV_API_URL, "documentation": "https://clinicaltrials.gov/data-api/api"},
)
