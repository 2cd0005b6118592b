"""Names that several assets share: groups, owners and the registry at the head of the lineage."""

from dagster import AssetKey, AssetSpec

OWNERS = ["team:data-platform"]
REGISTRY = AssetKey(["clinicaltrials_gov", "api"])

registry = AssetSpec(
    key=REGISTRY,
    group_name="ingestion",
    description="ClinicalTrials.gov, API v2: the registry as its publisher serves it. Nothing here writes to it.",
    owners=OWNERS,
    kinds={"api"},
    metadata={"documentation": "https://clinicaltrials.gov/data-api/api"},
)
