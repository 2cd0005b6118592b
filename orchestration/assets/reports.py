"""Reports as assets: tables asked of the marts, and the nightly brief that is drawn from them."""

import hashlib
from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetSpec,
    MaterializeResult,
    PipesSubprocessClient,
    asset,
    multi_asset,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster_shared.check import CheckError

from orchestration.assets.names import OWNERS
from orchestration.reports import brief as nightly
from orchestration.reports import facts
from orchestration.reports.checks import told
from orchestration.reports.render import published
from orchestration.reports.section import Declaration
from orchestration.reports.sections import SECTIONS
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings

GROUP = "reports"
TABLES = "tables"
BRIEF = AssetKey([GROUP, nightly.NAME])
NAMES = [nightly.FACTS, *(section.name for section in SECTIONS)]


def _deps(needs: tuple[str, ...]) -> list[AssetKey]:
    """`{analytics}.dim_trials` is made by the asset analytics/dim_trials, whatever schema it is in."""
    return [AssetKey([part.strip("{}") for part in need.split(".")]) for need in needs]


def _version(*texts: str) -> str:
    """A code version that follows what is asked."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def _spec(name: str, description: str, needs: tuple[str, ...], *asked: str) -> AssetSpec:
    return AssetSpec(
        [GROUP, name],
        deps=_deps(needs),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"polars", "table"},
        description=description,
        code_version=_version(*asked),
        skippable=True,
    ).with_io_manager_key(TABLES)


def _section_spec(section: Declaration) -> AssetSpec:
    return _spec(
        section.name, f"Section of the nightly brief: {section.title}. {section.note}", section.needs, section.sql
    )


def _fact_needs() -> tuple[str, ...]:
    return tuple(dict.fromkeys(need for fact in facts.FACTS for need in fact.needs))


@multi_asset(
    name="brief_tables",
    specs=[
        _spec(
            nightly.FACTS,
            "Headline facts of the nightly brief: how much there is and what changed.",
            _fact_needs(),
            *(fact.sql for fact in facts.FACTS),
        ),
        *(_section_spec(section) for section in SECTIONS),
    ],
    can_subset=True,
)
def brief_tables(context: AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[MaterializeResult[Any]]:
    """Ask the marts for what the brief shows: one DataFrame a section."""
    makers = {nightly.FACTS: facts.table} | {section.name: section.table for section in SECTIONS}
    for name in NAMES:
        key = AssetKey([GROUP, name])
        if key in context.selected_asset_keys:
            table = makers[name](warehouse.url)
            if not table.width:
                context.log.warning(f"section {name} is left out: a mart that it needs is not there yet")
            yield MaterializeResult(asset_key=key, value=table)


@asset(
    key=BRIEF,
    ins={name: AssetIn(AssetKey([GROUP, name])) for name in NAMES},
    group_name=GROUP,
    owners=OWNERS,
    kinds={"typescript", "vega"},
    description="The nightly brief: one self-contained page of facts and charts, with its picture in the metadata.",
    code_version="1",
    output_required=False,
)
def brief(
    context: AssetExecutionContext, pipes: PipesSubprocessClient, **tables: Any
) -> Iterator[MaterializeResult[Any]]:
    """Draw the brief. Without Node nothing is materialized, and one line says so."""
    day = nightly.today()
    report = nightly.brief(day, tables, told(context.instance, _graph(context)), settings())
    yield from published(context, pipes, report, nightly.NAME, day.isoformat())


def _graph(context: AssetExecutionContext) -> AssetGraph:
    """All that the code location defines; outside of one, what the run does."""
    try:
        return context.repository_def.asset_graph
    except CheckError:
        return context.job_def.asset_layer.asset_graph
