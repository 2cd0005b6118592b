"""The export as a graph of ops: a failed op is tried again without making the others' files anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dagster import (
    AssetIn,
    AssetKey,
    Backoff,
    Config,
    Failure,
    In,
    MarkdownMetadataValue,
    MetadataValue,
    Nothing,
    OpExecutionContext,
    Out,
    RetryPolicy,
    graph_asset,
    op,
)
from pydantic import Field

from orchestration.assets.names import OWNERS
from orchestration.assets.transform import dbt_analytics, dbt_staging
from orchestration.export.errors import ExportError
from orchestration.export.manifest import Manifest
from orchestration.export.options import FORMATS
from orchestration.export.tables import SCHEMAS
from orchestration.progress import Reporter
from orchestration.resources.export import ExportResource, options
from orchestration.settings import settings

EXPORT = AssetKey(["reports", "export"])
# What may be locked or out of reach for a while is tried again; what cannot work is not (see `_explained`).
DATABASE_RETRIES = RetryPolicy(max_retries=2, delay=30, backoff=Backoff.EXPONENTIAL)
FILE_RETRIES = RetryPolicy(max_retries=1, delay=5)
MB = 1_000_000


def _exported() -> dict[str, AssetKey]:
    """Input name → the asset whose table is exported."""
    keys = [*dbt_staging.keys, *dbt_analytics.keys]
    return {"_".join(key.path): key for key in sorted(keys) if key.path[0] in SCHEMAS}


UPSTREAM = _exported()


class ExportConfig(Config):
    """What to export. Nothing given: everything, to BIOLOUPE_EXPORT_DIR."""

    to: str | None = Field(None, description="Directory to publish in; default BIOLOUPE_EXPORT_DIR.")
    formats: list[str] = Field(list(FORMATS), description="Among flat, parquet, dump.")
    keep: int | None = Field(None, ge=1, description="How many exports to keep; default BIOLOUPE_EXPORT_KEEP.")
    tables: list[str] = Field([], description="Only these tables, such as ctgov.studies; needs `to`.")


@contextmanager
def _explained() -> Iterator[None]:
    """What trying again cannot mend fails at once, in one line."""
    try:
        yield
    except ExportError as error:
        raise Failure(str(error), allow_retries=False) from error


@op(ins={name: In(Nothing) for name in UPSTREAM}, retry_policy=DATABASE_RETRIES, out=Out(dict[str, int]))
def take_snapshot(context: OpExecutionContext, config: ExportConfig, export: ExportResource) -> dict[str, int]:
    """Hold the target directory and one state of the database; count its rows, table by table."""
    report = Reporter(context.log, "export, snapshot", "rows")
    with _explained():
        chosen = options(settings(), config.to, config.formats, config.keep, config.tables)
        rows = export.start(chosen, context.run.run_id).begin(_summed(report, every=1))
    context.log.info(f"{sum(rows.values()):,} rows of {len(rows)} tables go to {chosen.directory}")
    return rows


# Begun first: later, it might wait for whoever waits for the snapshot's locks to be let go.
@op(retry_policy=DATABASE_RETRIES, tags={"dagster/priority": "1"})
def write_dump(context: OpExecutionContext, export: ExportResource, rows: dict[str, int]) -> list[str]:
    """Dump with pg_dump, custom format."""
    report = Reporter(context.log, "export, dump", "MB")
    return _written(export, "dump", lambda e: e.write_dump(lambda size: report(size // MB)))


@op(retry_policy=DATABASE_RETRIES)
def write_flat_files(context: OpExecutionContext, export: ExportResource, rows: dict[str, int]) -> list[str]:
    """Write AACT-style pipe-delimited files, zipped."""
    heard = _rows(context, "flat files", rows)
    return _written(export, "flat", lambda e: e.write_flat_files(heard))


@op(retry_policy=DATABASE_RETRIES)
def write_parquet(context: OpExecutionContext, export: ExportResource, rows: dict[str, int]) -> list[str]:
    """Write typed Parquet files."""
    heard = _rows(context, "Parquet", rows)
    return _written(export, "parquet", lambda e: e.write_parquet(heard))


@op(retry_policy=FILE_RETRIES)
def check_files(
    context: OpExecutionContext, export: ExportResource, dump: list[str], flat: list[str], parquet: list[str]
) -> Manifest:
    """Read every file back and compare it with the snapshot, row count by row count."""
    report, paths = Reporter(context.log, "export, check", "MB"), [*flat, *parquet, *dump]
    with _explained():
        total = export.current.size(paths)
        return export.current.check(paths, _summed(lambda read: report(read // MB, total // MB)))


@op(retry_policy=FILE_RETRIES, out=Out(Nothing))
def publish_files(context: OpExecutionContext, export: ExportResource, manifest: Manifest) -> None:
    """Let readers see the new export, all of it at once, and remove the oldest."""
    with _explained():
        published = export.current.publish(manifest)
    if published.pruned:
        context.log.info(f"removed {', '.join(published.pruned)}")
    context.log.info(f"published {published.path}")
    context.add_output_metadata({"path": MetadataValue.path(str(published.path)), **about(manifest)})


@graph_asset(
    key=EXPORT,
    ins={name: AssetIn(key, dagster_type=Nothing) for name, key in UPSTREAM.items()},
    description="Every table of ctgov and analytics as pipe-delimited flat files, Parquet and a pg_dump, all of one "
    "moment, checked and published at once: `latest` in BIOLOUPE_EXPORT_DIR.",
    group_name="reports",
    owners=OWNERS,
    kinds={"postgres", "parquet", "file"},
    code_version="1",
    tags={"audience": "analysts"},
)
def export_files(**upstream: Any) -> Any:
    rows = take_snapshot(**upstream)
    return publish_files(check_files(write_dump(rows), write_flat_files(rows), write_parquet(rows)))


def about(manifest: Manifest) -> dict[str, Any]:
    """What was published, for the UI."""
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in manifest.rows.items())
    files = "\n".join(
        f"| {file.path} | {sum(file.rows.values()):,} | {file.bytes:,} | `{file.sha256[:12]}` |"
        for file in manifest.files
    )
    return {
        "dagster/row_count": sum(manifest.rows.values()),
        "tables": len(manifest.tables),
        "files": len(manifest.files),
        "megabytes": round(sum(file.bytes for file in manifest.files) / MB, 1),
        "registry_timestamp": manifest.registry_timestamp or "unknown",
        "rows_per_table": MarkdownMetadataValue(f"| table | rows |\n|---|---:|\n{rows}"),
        "manifest": MarkdownMetadataValue(f"| file | rows | bytes | sha256 |\n|---|---:|---:|---|\n{files}"),
    }


def _written(export: ExportResource, name: str, write: Callable[[Any], list[str]]) -> list[str]:
    """The paths of one format's files; none where it was not asked for."""
    with _explained():
        return write(export.current) if name in export.current.options.formats else []


def _rows(context: OpExecutionContext, name: str, rows: dict[str, int]) -> Callable[[int], None]:
    report, total = Reporter(context.log, f"export, {name}", "rows"), sum(rows.values())
    return _summed(lambda done: report(done, total))


def _summed(heard: Callable[[int], None], every: int = 1_000) -> Callable[[int], None]:
    """Turn steps into sums, telling of them at each `every`: single rows come by the million."""
    done = told = 0

    def step(more: int) -> None:
        nonlocal done, told
        done += more
        if done - told >= every:
            told = done
            heard(done)

    return step
