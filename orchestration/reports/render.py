"""Have a report drawn by the Node program, through Dagster Pipes: its logs, metadata and errors arrive in Dagster."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import AssetObservation, MarkdownMetadataValue, MaterializeResult, MetadataValue

from orchestration.reports import pages
from orchestration.reports.node import RendererMissing, command
from orchestration.reports.report import Report, payload

if TYPE_CHECKING:
    from dagster import AssetExecutionContext, PipesSubprocessClient


def published(
    context: AssetExecutionContext, pipes: PipesSubprocessClient, report: Report, name: str, edition: str
) -> Iterator[MaterializeResult[Any]]:
    """Draw `report` as `<home>/reports/<name>/<edition>.html` and make it the latest; yield the asset's result.

    Where there is no Node nothing is materialized, so that no page looks newer than it is: one line in the log and an
    observation of the asset say why. The asset needs `output_required=False`.
    Raises DagsterPipesExecutionError, with JavaScript's error and stack, where drawing fails.
    """
    try:
        yield render(context, pipes, report, pages.page(name, edition))
    except RendererMissing as missing:
        skipped = f"skipped: {missing}"
        context.log.warning(skipped)
        context.log_event(
            AssetObservation(
                context.asset_key,
                partition=context.partition_key if context.has_partition_key else None,
                metadata={"skipped": str(missing)},
            )
        )


def render(
    context: AssetExecutionContext, pipes: PipesSubprocessClient, report: Report, page: Path
) -> MaterializeResult[Any]:
    """Draw `report` into the file `page` and publish it. Raises RendererMissing before anything is written."""
    start = command()
    page.parent.mkdir(parents=True, exist_ok=True)
    picture = page.with_suffix(pages.PICTURE)
    extras = {"report": payload(report), "page": str(page), "picture": str(picture)}
    # Dates are words here, not moments: no zone may move them.
    result = pipes.run(context=context, command=start, extras=extras, env={"TZ": "UTC"}).get_materialize_result(
        implicit_materialization=False
    )
    latest = pages.publish(page)
    about = {
        "page": MetadataValue.path(str(page)),
        "latest": MetadataValue.path(str(latest)),
        "picture": _inline(picture, report.title),
    }
    return result._replace(metadata={**(result.metadata or {}), **about})


def _inline(picture: Path, title: str) -> MarkdownMetadataValue:
    """The picture inside the metadata: Dagster's UI shows it wherever it runs, with nothing to serve."""
    encoded = base64.b64encode(picture.read_bytes()).decode("ascii")
    return MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
