"""Sponsors with most going on in the last weeks."""

from orchestration.reports.section import Declaration

WEEKS = 4
MOST = 12
MOVES = {
    "new_trials": "New",
    "started": "Started",
    "phase_advanced": "Phase up",
    "results_posted": "Results",
    "completed": "Completed",
    "delayed": "Delayed",
    "stopped": "Stopped",
}
_COUNTED = " + ".join(f"sum({column})" for column in MOVES)
_LISTED = ", ".join(f"({at}, '{words}', {column})" for at, (column, words) in enumerate(MOVES.items()))

SECTION = Declaration(
    name="sponsors_that_moved",
    title="Sponsors that moved",
    note=(
        f"Lead sponsors with most events in the newest {WEEKS} weeks: trials new in the registry, started, up a phase, "
        "with first results, completed, delayed by more than 30 days, stopped."
    ),
    needs=("{analytics}.fct_sponsor_moves",),
    sql=f"""
with recent as (
    select * from {{analytics}}.fct_sponsor_moves
    where
        week > (select max(week) from {{analytics}}.fct_sponsor_moves) - {7 * WEEKS}
        and lead_sponsor <> 'NOT_REPORTED'
),
moved as (
    select lead_sponsor, {", ".join(f"sum({column})::integer as {column}" for column in MOVES)}, {_COUNTED} as events
    from recent
    group by lead_sponsor
    having {_COUNTED} > 0
    order by events desc, lead_sponsor
    limit {MOST}
)
select
    moved.lead_sponsor as sponsor,
    move.name as move,
    move.trials
from moved
cross join lateral (values {_LISTED}) as move (place, name, trials)
order by moved.events desc, moved.lead_sponsor, move.place
""",
    chart={
        "mark": "bar",
        "height": {"step": 26},
        "encoding": {
            "y": {"field": "sponsor", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "trials", "type": "quantitative", "title": "Events", "axis": {"tickMinStep": 1}},
            "color": {"field": "move", "type": "nominal", "scale": {"domain": list(MOVES.values())}},
        },
    },
    alt="Bars, one for each sponsor, of what its trials did in the last weeks",
    headings={"sponsor": "Lead sponsor"},
    pivot=("sponsor", "move", "trials"),
    empty="No sponsor's trial was new or moved.",
)
