"""What the language model was asked and what it cost."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from orchestration.reports.section import Declaration

if TYPE_CHECKING:
    from polars import DataFrame

DAYS = 30


def chart(table: DataFrame) -> dict[str, Any]:
    """Dollars where the model has a price, tokens where it runs on one's own machine."""
    newest = date.fromisoformat(str(table["day"].max()))
    days = [(newest - timedelta(days=age)).isoformat() for age in reversed(range(DAYS))]
    paid = (table["cost_usd"].sum() or 0) > 0
    amount = "cost_usd" if paid else "tokens"
    return {
        "mark": "bar",
        "height": 200,
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "scale": {"domain": days},
                "title": None,
                "axis": {"labelAngle": 0, "labelOverlap": "greedy", "labelExpr": "slice(datum.label, 5)"},
            },
            "y": {
                "field": amount,
                "type": "quantitative",
                "title": "US dollars" if paid else "Tokens",
                "axis": {"format": "$.2~f" if paid else "~s"},
            },
            "color": {"field": "task", "type": "nominal"},
        },
    }


SECTION = Declaration(
    name="llm_spend",
    title="Language model spend",
    note=f"Calls of the language model in the {DAYS} days to the newest. An embedded model costs nothing but time.",
    needs=("{analytics}.fct_llm_spend",),
    sql=f"""
select
    day::text as day,
    task,
    model,
    calls::integer as calls,
    (prompt_tokens + completion_tokens)::bigint as tokens,
    cost_usd::float as cost_usd
from {{analytics}}.fct_llm_spend
where day > (select max(day) from {{analytics}}.fct_llm_spend) - {DAYS}
order by day, task, model
""",
    chart=chart,
    alt="Bars, one for each day, of what the language model's calls came to",
    headings={"cost_usd": "US dollars"},
    empty="The language model has not been asked yet.",
)
