"""What the catalog says of every asset beside its own description: tags, freshness policy, address, link to its code.

One place, so that all say it in the same words; what an asset's own definition says already is left alone.
"""

import warnings
from collections.abc import Sequence
from datetime import timedelta

from dagster import (
    AssetsDefinition,
    AssetSpec,
    FreshnessPolicy,
    map_asset_specs,
    with_source_code_references,
)
from dagster_shared.utils.warnings import BetaWarning

Asset = AssetsDefinition | AssetSpec
# The nightly run is at 02:00 New York: two hours late is worth a look, one night missed is stale.
NIGHTLY = FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))
WEEKLY = FreshnessPolicy.time_window(warn_window=timedelta(days=8), fail_window=timedelta(days=15))
# On the desk by seven in the morning, made that night.
BY_MORNING = FreshnessPolicy.cron("0 7 * * *", timedelta(hours=6), timezone="America/New_York")
LAYERS = {"ingestion": "raw", "staging": "staging", "enrichment": "enrichment", "analytics": "mart"} | {
    "reports": "report"
}
FRESHNESS = {"raw": NIGHTLY, "staging": NIGHTLY, "enrichment": NIGHTLY, "mart": NIGHTLY, "report": BY_MORNING}
ON_THEIR_OWN_DAYS = {"raw_ctgov/reconciliation": WEEKLY, "reports/export": WEEKLY}
# Registry records name the people to call about a trial, as their sponsors published them.
NAMES_PEOPLE = {"raw_ctgov/studies", "raw_ctgov/rejected_studies", "clinicaltrials_gov/api"}


def catalogued(assets: Sequence[Asset]) -> list[Asset]:
    """The same assets with what the catalog says of each."""
    with warnings.catch_warnings():
        # Dagster calls links to code a beta, once for every asset.
        warnings.simplefilter("ignore", BetaWarning)
        linked = with_source_code_references(assets)
    return list(map_asset_specs(_said_in_full, [asset for asset in linked if isinstance(asset, Asset)]))


def _said_in_full(spec: AssetSpec) -> AssetSpec:
    layer = "source" if not spec.deps else LAYERS.get(spec.group_name or "", "other")
    return spec.replace_attributes(
        tags={**_tags(spec, layer), **spec.tags},
        freshness_policy=spec.freshness_policy or _freshness(spec, layer),
    )


def _tags(spec: AssetSpec, layer: str) -> dict[str, str]:
    return {
        "layer": layer,
        "domain": "clinical_trials",
        "pii": "public_contacts" if "/".join(spec.key.path) in NAMES_PEOPLE else "none",
        "cost": "paid_api" if layer == "enrichment" else "compute",
    }


def _freshness(spec: AssetSpec, layer: str) -> FreshnessPolicy | None:
    """How old an asset may be. None for what nobody makes here, and for partitions, whose dates say what is missing."""
    if spec.partitions_def is not None:
        return None
    return ON_THEIR_OWN_DAYS.get("/".join(spec.key.path)) or FRESHNESS.get(layer)
