"""Where the open trials are: therapeutic areas and phases."""

from orchestration.reports.section import PHASES, Declaration, phase_name, phase_order

SECTION = Declaration(
    name="trials_by_area_and_phase",
    title="Open trials by therapeutic area and phase",
    note=(
        "Interventional trials that are recruiting, about to, or active. A trial counts in each of its areas, which "
        "come from the MeSH terms of its conditions; those outside every area are left out."
    ),
    needs=("{analytics}.dim_trials", "{analytics}.dim_trial_areas"),
    sql=f"""
with open_trials as (
    select areas.area, trials.phase, trials.nct_id
    from {{analytics}}.dim_trials as trials
    inner join {{analytics}}.dim_trial_areas as areas on trials.nct_id = areas.nct_id
    where
        trials.deleted_at is null
        and trials.study_type = 'INTERVENTIONAL'
        and trials.overall_status in (
            'RECRUITING', 'NOT_YET_RECRUITING', 'ENROLLING_BY_INVITATION', 'ACTIVE_NOT_RECRUITING'
        )
        and areas.area not like 'Other%'
)
select
    area,
    {phase_name("phase")} as phase,
    count(*)::integer as trials
from open_trials
group by area, open_trials.phase
order by sum(count(*)) over (partition by area) desc, area, {phase_order("open_trials.phase")}
""",
    chart={
        "mark": "bar",
        "height": {"step": 26},
        "encoding": {
            "y": {"field": "area", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "trials", "type": "quantitative", "title": "Open trials"},
            "color": {
                "field": "phase",
                "type": "ordinal",
                "scale": {"domain": list(PHASES.values())},
                "sort": list(PHASES.values()),
            },
            "order": {"field": "phase_rank", "type": "quantitative"},
        },
        "transform": [{"calculate": f"indexof({list(PHASES.values())}, datum.phase)", "as": "phase_rank"}],
    },
    alt="Bars, one for each therapeutic area, of its open trials, divided by phase",
    headings={"area": "Therapeutic area"},
    pivot=("area", "phase", "trials"),
    empty="No open interventional trial has a therapeutic area.",
)
