"""How fast trials of each phase enrolled."""

from orchestration.reports.palette import ACCENT, RANGE
from orchestration.reports.section import Declaration, phase_name, phase_order

FEWEST = 3
YEARS = 5


def _quantile(part: float) -> str:
    rate = "patients_per_site_per_month"
    return f"round(percentile_cont({part}) within group (order by {rate})::numeric, 2)::float"


SECTION = Declaration(
    name="enrollment_velocity",
    title="Enrollment velocity",
    note=(
        f"Participants per site and month of trials whose primary completion was in the newest {YEARS} years: the "
        f"middle half of the trials as a bar, the median as a mark. Phases of fewer than {FEWEST} trials are left out."
    ),
    needs=("{analytics}.fct_enrollment_velocity",),
    sql=f"""
with recent as (
    select * from {{analytics}}.fct_enrollment_velocity
    where
        study_type = 'INTERVENTIONAL'
        and primary_completion_date > (
            select max(primary_completion_date) - interval '{YEARS} years' from {{analytics}}.fct_enrollment_velocity
        )
)
select
    {phase_name("phase")} as phase,
    count(*)::integer as trials,
    {_quantile(0.25)} as lower_quarter,
    {_quantile(0.5)} as median,
    {_quantile(0.75)} as upper_quarter
from recent
group by coalesce(recent.phase, 'NA'), 1, {phase_order("recent.phase")}
having count(*) >= {FEWEST}
order by {phase_order("recent.phase")}
""",
    chart={
        "height": {"step": 30},
        "encoding": {
            "y": {"field": "phase", "type": "nominal", "sort": None, "title": None},
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": 10, "cornerRadius": 5, "color": RANGE},
                "encoding": {
                    "x": {
                        "field": "lower_quarter",
                        "type": "quantitative",
                        "title": "Participants per site and month",
                        "scale": {"zero": True},
                    },
                    "x2": {"field": "upper_quarter"},
                },
            },
            {
                "mark": {"type": "point", "size": 90, "color": ACCENT, "opacity": 1},
                "encoding": {"x": {"field": "median", "type": "quantitative"}},
            },
        ],
    },
    alt="For each phase the median of participants per site and month, and the range of the middle half of trials",
    headings={"lower_quarter": "Lower quarter", "median": "Median", "upper_quarter": "Upper quarter"},
    empty="Too few trials have finished enrolling to tell.",
)
