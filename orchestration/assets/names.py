"""Names that several assets share: groups, owners and the registry at the head of the lineage."""

from dagster import AssetKey, AssetSpec

from orchestration.settings import PUBLIC_CTGOV_API_URL

OWNERS = ["team:data-platform"]
REGISTRY = AssetKey(["clinicaltrials_gov", "api"])
STUDIES = AssetKey(["raw_ctgov", "studies"])

registry = AssetSpec(
    key=REGISTRY,
    group_name="ingestion",
    description="ClinicalTrials.gov, API v2: the registry as its publisher serves it. Nothing here writes to it.",
    owners=OWNERS,
    kinds={"api"},
    metadata={"dagster/uri": PUBLIC_CTGOV_API_URL, "documentation": "https://clinicaltrials.gov/data-api/api"},
)
