"""The changes that somebody would want to hear of first, trial by trial."""

from orchestration.reports.section import Declaration
from orchestration.reports.sections.changes_last_night import SINCE, what_changed

MOST = 25
SHOWN_LETTERS = 90

# Which changes come first; what is in none of these rows is not news.
RANKS = """
    case
        when changes.field = 'has_results' and changes.new_value = 'true' then 1
        when changes.field = 'overall_status' and changes.new_value in ('TERMINATED', 'WITHDRAWN', 'SUSPENDED') then 2
        when changes.field = 'phase' then 3
        when changes.change_type in ('vanished', 'returned') then 4
        when changes.field = 'overall_status' then 5
        when changes.field = 'lead_sponsor' then 6
        when changes.field = 'primary_outcomes' then 7
        when changes.field = 'primary_completion_date' then 8
        when changes.change_type = 'appeared' then 9
        when changes.field = 'enrollment' then 10
    end
"""


def _short(column: str) -> str:
    return f"left(coalesce({column}, 'none'), {SHOWN_LETTERS})"


SECTION = Declaration(
    name="notable_changes",
    title="Trials to look at",
    note=f"Results first, then stops, phases and status; at most {MOST}, the larger trials before the smaller.",
    needs=("{analytics}.fct_trial_changes", "{analytics}.dim_trials", "{raw_ctgov}.registry_versions"),
    sql=f"""
with ranked as (
    select
        changes.nct_id,
        trials.brief_title,
        trials.lead_sponsor,
        trials.enrollment,
        {what_changed("changes")} as what,
        changes.field,
        changes.old_value,
        changes.new_value,
        {RANKS} as rank
    from {{analytics}}.fct_trial_changes as changes
    inner join {{analytics}}.dim_trials as trials on changes.nct_id = trials.nct_id
    where changes.changed_at > {SINCE}
)
select
    nct_id,
    brief_title as trial,
    lead_sponsor as sponsor,
    string_agg(
        case
            when field = 'has_results' then 'Results posted'
            when field in ('record', 'primary_outcomes') then what
            when field in ('overall_status', 'phase') then what || ': ' || concat(
                coalesce(initcap(replace(old_value, '_', ' ')), 'none'), ' → ',
                coalesce(initcap(replace(new_value, '_', ' ')), 'none')
            )
            else what || ': ' || concat({_short("old_value")}, ' → ', {_short("new_value")})
        end, '; ' order by rank
    ) as changes
from ranked
where rank is not null
group by nct_id, brief_title, lead_sponsor, enrollment
order by min(rank), enrollment desc nulls last, nct_id
limit {MOST}
""",
    chart=None,
    headings={"nct_id": "Trial", "trial": "Title", "sponsor": "Lead sponsor", "changes": "What changed"},
    empty="No result, stop, change of status, phase, sponsor, outcome, date or size since the load before the last.",
)
