"""Jobs of partitioned reports: one run makes one partition."""

from dagster import AssetSelection, define_asset_job

from orchestration.assets import catalysts as due
from orchestration.assets.watchlists import WATCHLIST_BRIEF, WATCHLIST_TRIALS, WEEKLY_DIGEST

watchlist_briefs = define_asset_job(
    "watchlist_briefs",
    selection=AssetSelection.assets(WATCHLIST_TRIALS, WATCHLIST_BRIEF),
    description="A watchlist's trials and its page. The sensor `watchlists` asks for it when a watchlist appears.",
)

weekly_digest = define_asset_job(
    "weekly_digest",
    selection=AssetSelection.assets(WEEKLY_DIGEST),
    description="What changed in a watchlist's trials in one week.",
)

catalysts = define_asset_job(
    "catalysts",
    selection=AssetSelection.assets(due.CATALYSTS),
    description="What falls due on a trading day.",
)

REPORT_JOBS = [watchlist_briefs, weekly_digest, catalysts]

# What an unpartitioned run cannot make.
PARTITIONED = AssetSelection.assets(WATCHLIST_TRIALS, WATCHLIST_BRIEF, WEEKLY_DIGEST, due.CATALYSTS)
