"""Jobs: what is run together, by a schedule, by a sensor or by hand."""

from dagster import AssetSelection, define_asset_job, in_process_executor

from orchestration.assets.export import EXPORT
from orchestration.assets.reports import BRIEF
from orchestration.automation.load_jobs import RECONCILED, WINDOWS
from orchestration.automation.partitioned_jobs import PARTITIONED

EXPORTS = AssetSelection.assets(EXPORT)

nightly_refresh = define_asset_job(
    "nightly_refresh",
    selection=AssetSelection.all() - EXPORTS - RECONCILED - WINDOWS - PARTITIONED,
    description="Load what changed in the registry, model it, read its free text, build the marts.",
)

draw_brief = define_asset_job(
    "draw_brief",
    selection=AssetSelection.assets(BRIEF) | AssetSelection.assets(BRIEF).upstream(depth=1),
    description="Ask the marts again and draw the nightly brief; nothing is loaded, built or read.",
)

check_only = define_asset_job(
    "check_only",
    selection=AssetSelection.all_asset_checks(),
    description="Run every check against the tables as they stand; nothing is loaded, built or read. While a refresh "
    "writes, it waits: a table that is half built would be a false alarm.",
)

export = define_asset_job(
    "export",
    selection=EXPORTS,
    description="Write ctgov and analytics as flat files, Parquet and a dump, check them, publish them at once.",
    # One session holds the snapshot that all of its steps read, whatever runs the other jobs' steps.
    executor_def=in_process_executor,
    # A run that crashed has lost its snapshot: going on where it was would not do.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
)
