"""Have a report drawn by the Node program, through Dagster Pipes: its logs, metadata and errors arrive in Dagster."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetObservation,
    DagsterEventType,
    MarkdownMetadataValue,
    MaterializeResult,
    MetadataValue,
    PreviewWarning,
)
from dagster._core.errors import DagsterPipesExecutionError

from orchestration.reports import pages
from orchestration.reports.node import RendererMissing, command
from orchestration.reports.report import Report, payload

if TYPE_CHECKING:
    from dagster import AssetExecutionContext, PipesSubprocessClient


class RenderFailed(Exception):
    """The renderer did not draw the page. The message says what JavaScript said."""


def published(
    context: AssetExecutionContext, pipes: PipesSubprocessClient, report: Report, name: str, edition: str
) -> Iterator[MaterializeResult[Any]]:
    """Draw `report` as `<home>/reports/<name>/<edition>.html` and make it the latest; yield the asset's result.

    Where there is no Node nothing is materialized, so that no page looks newer than it is: one line in the log and an
    observation of the asset say why. The asset needs `output_required=False`.
    Raises RenderFailed where drawing fails; JavaScript's stack is an event of the run.
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
    """Draw `report` into the file `page` and publish it. Raises RendererMissing before anything is written, and
    RenderFailed where drawing fails.
    """
    start = command()
    page.parent.mkdir(parents=True, exist_ok=True)
    picture = page.with_suffix(pages.PICTURE)
    extras = {"report": payload(report), "page": str(page), "picture": str(picture)}
    try:
        with warnings.catch_warnings():
            # Of Dagster's own use of what it calls a preview, once for every page.
            warnings.simplefilter("ignore", PreviewWarning)
            # Dates are words here, not moments: no zone may move them.
            drawn = pipes.run(context=context, command=start, extras=extras, env={"TZ": "UTC"})
    except DagsterPipesExecutionError as error:
        raise RenderFailed(f"{report.title} cannot be drawn: {_said(context) or error}") from error
    result = drawn.get_materialize_result(implicit_materialization=False)
    latest = pages.publish(page)
    about = {
        "page": MetadataValue.path(str(page)),
        "latest": MetadataValue.path(str(latest)),
        "picture": _inline(picture, report.title),
    }
    return result._replace(metadata={**(result.metadata or {}), **about})


def _said(context: AssetExecutionContext) -> str | None:
    """The error with which the renderer closed its session: Dagster keeps it, with its stack, as the run's event."""
    closed = context.instance.all_logs(context.run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
    for entry in reversed(closed):
        event = entry.get_dagster_event()
        if event.step_key == context.op_execution_context.get_step_execution_context().step.key:
            error = event.engine_event_data.error
            if error is not None:
                causes = [error.message.strip()]
                while error.cause is not None:
                    error = error.cause
                    causes.append(error.message.strip())
                return ", because of ".join(causes)
    return None


def _inline(picture: Path, title: str) -> MarkdownMetadataValue:
    """The picture inside the metadata: Dagster's UI shows it wherever it runs, with nothing to serve."""
    encoded = base64.b64encode(picture.read_bytes()).decode("ascii")
    return MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
