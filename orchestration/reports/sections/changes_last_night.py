"""What the last load found changed, counted by what changed."""

from orchestration.reports.section import Declaration

# Everything since the load before the last: `observed_at` is written when a load is complete.
SINCE = """(
    select coalesce(
        (select observed_at from {raw_ctgov}.registry_versions order by observed_at desc offset 1 limit 1), '-infinity'
    )
)"""

# What a watched field is called in a sentence; others are called by their names.
FIELDS = {
    "overall_status": "Status",
    "phase": "Phase",
    "enrollment": "Enrollment",
    "enrollment_type": "Enrollment, planned or actual",
    "start_date": "Start date",
    "start_date_type": "Start, planned or actual",
    "primary_completion_date": "Primary completion date",
    "primary_completion_date_type": "Primary completion, planned or actual",
    "completion_date": "Completion date",
    "completion_date_type": "Completion, planned or actual",
    "why_stopped": "Why it stopped",
    "lead_sponsor": "Lead sponsor",
    "collaborators": "Collaborators",
    "primary_outcomes": "Primary outcomes",
    "arms": "Arms",
    "site_count": "Sites",
    "has_results": "Results",
    "brief_title": "Title",
    "official_title": "Official title",
}
RECORDS = {"appeared": "New in the registry", "vanished": "Gone from the registry", "returned": "Back in the registry"}


def what_changed(table: str) -> str:
    """SQL: what a row of fct_trial_changes is about, in words."""
    records = " ".join(f"when {table}.change_type = '{key}' then '{words}'" for key, words in RECORDS.items())
    fields = " ".join(f"when {table}.field = '{key}' then '{words}'" for key, words in FIELDS.items())
    return f"case {records} {fields} else initcap(replace({table}.field, '_', ' ')) end"


SECTION = Declaration(
    name="changes_last_night",
    title="What changed last night",
    note="Watched fields of trials that differ from what the load before the last had found.",
    needs=("{analytics}.fct_trial_changes", "{raw_ctgov}.registry_versions"),
    sql=f"""
select
    {what_changed("changes")} as what,
    count(distinct changes.nct_id)::integer as trials
from {{analytics}}.fct_trial_changes as changes
where changes.changed_at > {SINCE}
group by 1
order by 2 desc, 1
""",
    chart={
        "height": {"step": 24},
        "encoding": {
            "y": {"field": "what", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "trials", "type": "quantitative", "title": "Trials", "axis": {"tickMinStep": 1}},
        },
        "layer": [
            {"mark": "bar"},
            {
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"text": {"field": "trials", "type": "quantitative", "format": ","}},
            },
        ],
    },
    alt="Bars of the number of trials by what changed in them",
    headings={"what": "What changed"},
    empty="Nothing changed in the registry between the last two loads.",
)
