"""Why trials stop, quarter by quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.reports.palette import CATEGORIES, NONE, OTHER
from orchestration.reports.section import Declaration

if TYPE_CHECKING:
    from polars import DataFrame

REASONS = 6
QUARTERS = 12
UNREAD = {"No reason given": OTHER, "Not read yet": NONE}


def chart(table: DataFrame) -> dict[str, Any]:
    """Reasons in their order; what is not known in grey."""
    reasons = table["reason"].unique(maintain_order=True).to_list()
    colours = [UNREAD.get(reason, CATEGORIES[at % len(CATEGORIES)]) for at, reason in enumerate(reasons)]
    return {
        "mark": "bar",
        "height": 260,
        "encoding": {
            "x": {
                "field": "quarter",
                "type": "ordinal",
                "sort": "ascending",
                "title": None,
                "axis": {"labelAngle": 0, "labelOverlap": "greedy", "labelExpr": "split(datum.label, ' ')"},
            },
            "y": {"field": "trials", "type": "quantitative", "title": "Stopped trials"},
            "color": {"field": "reason", "type": "nominal", "scale": {"domain": reasons, "range": colours}},
            "order": {"field": "place", "type": "quantitative"},
        },
        "transform": [{"calculate": f"indexof({reasons}, datum.reason)", "as": "place"}],
    }


SECTION = Declaration(
    name="stop_reasons_over_time",
    title="Why trials stop",
    note=(
        "Terminated, withdrawn and suspended trials by the quarter of their last update, which is close to when they "
        "stopped, and by the reason read in the sponsor's own words."
    ),
    needs=("{analytics}.fct_stopped_trials",),
    sql=f"""
with stopped as (
    select
        date_trunc('quarter', last_update_posted_date)::date as quarter,
        case
            when read_status = 'no_text' then 'No reason given'
            when stop_reason is null then 'Not read yet'
            when stop_reason = 'covid19' then 'COVID-19'
            else initcap(left(stop_reason, 1)) || replace(substr(stop_reason, 2), '_', ' ')
        end as reason,
        stop_reason is not null as is_read
    from {{analytics}}.fct_stopped_trials
    where last_update_posted_date is not null
),
recent as (
    select * from stopped
    where quarter > (select max(quarter) from stopped) - interval '{3 * QUARTERS} months'
),
ranked as (
    select reason, row_number() over (order by is_read desc, count(*) desc, reason) as rank
    from recent
    group by reason, is_read
),
grouped as (
    select
        recent.quarter,
        case when recent.is_read and ranked.rank > {REASONS} then 'Other reasons' else recent.reason end as reason,
        case
            when not recent.is_read then {REASONS} + 2 else least(ranked.rank, {REASONS} + 1)
        end as rank
    from recent
    inner join ranked on recent.reason = ranked.reason
)
select
    to_char(quarter, 'YYYY "Q"Q') as quarter,
    reason,
    count(*)::integer as trials
from grouped
group by grouped.quarter, reason
order by min(rank), reason, grouped.quarter
""",
    chart=chart,
    alt="Bars, one for each quarter, of the trials that stopped, divided by reason",
    headings={"quarter": "Quarter"},
    pivot=("quarter", "reason", "trials"),
    empty="No trial has been stopped.",
)
