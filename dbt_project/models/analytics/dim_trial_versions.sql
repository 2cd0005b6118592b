{#
    A dbt snapshot would compare the studies that changed with every study's current version; this reads the changed
    studies alone, by index. Never rebuilt: the registry does not give its past again.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=false,
        on_schema_change='append_new_columns',
        pre_hook="{{ claim_staged_studies(['studies', 'sponsors', 'design_outcomes', 'design_groups', 'facilities']) }}",
        post_hook=["{{ end_replaced_versions() }}", "{{ analyze_after_full_build() }}"],
        indexes=[{'columns': ['valid_from']}]
    )
}}

with loads as (

    select * from {{ ref('int_study_loads') }}
    where {{ is_in_claimed_window() }}

),

sponsors as (

    select
        children.nct_id,
        max(children.name) filter (where children.lead_or_collaborator = 'lead') as lead_sponsor,
        string_agg(children.name, '|' order by children.name)
        filter (where children.lead_or_collaborator = 'collaborator') as collaborators
    from {{ ref('stg_ctgov__sponsors') }} as children
    inner join loads on children.nct_id = loads.nct_id
    group by children.nct_id

),

outcomes as (

    select
        children.nct_id,
        string_agg(
            concat_ws(' ', children.measure, '[' || children.time_frame || ']'),
            e'\n' order by children.measure, children.time_frame
        ) as primary_outcomes
    from {{ ref('stg_ctgov__design_outcomes') }} as children
    inner join loads on children.nct_id = loads.nct_id
    where children.outcome_type = 'primary'
    group by children.nct_id

),

design_groups as (

    select
        children.nct_id,
        string_agg(
            concat_ws(' ', children.title, '(' || children.group_type || ')'),
            e'\n' order by children.title, children.group_type
        ) as arms
    from {{ ref('stg_ctgov__design_groups') }} as children
    inner join loads on children.nct_id = loads.nct_id
    group by children.nct_id

),

facilities as (

    select
        children.nct_id,
        count(*)::integer as site_count
    from {{ ref('stg_ctgov__facilities') }} as children
    inner join loads on children.nct_id = loads.nct_id
    group by children.nct_id

),

states as (

    select
        loads.nct_id,
        loads.loaded_at as valid_from,
        loads.found_by,
        loads.deleted_at,
        studies.last_update_posted_date as registry_date,
        studies.study_first_posted_date as first_posted_date,
        studies.brief_title,
        studies.official_title,
        studies.overall_status::text as overall_status,
        {{ normalized_text('studies.why_stopped') }} as why_stopped,
        coalesce(studies.has_results, false) as has_results,
        studies.phase::text as phase,
        studies.enrollment,
        studies.enrollment_type::text as enrollment_type,
        studies.start_month_year::text as start_month_year,
        studies.start_date,
        studies.start_date_type::text as start_date_type,
        studies.primary_completion_month_year::text as primary_completion_month_year,
        studies.primary_completion_date,
        studies.primary_completion_date_type::text as primary_completion_date_type,
        studies.completion_month_year::text as completion_month_year,
        studies.completion_date,
        studies.completion_date_type::text as completion_date_type,
        sponsors.lead_sponsor::text as lead_sponsor,
        sponsors.collaborators,
        outcomes.primary_outcomes,
        design_groups.arms,
        coalesce(facilities.site_count, 0) as site_count
    from loads
    inner join {{ ref('stg_ctgov__studies') }} as studies on loads.nct_id = studies.nct_id
    left join sponsors on loads.nct_id = sponsors.nct_id
    left join outcomes on loads.nct_id = outcomes.nct_id
    left join design_groups on loads.nct_id = design_groups.nct_id
    left join facilities on loads.nct_id = facilities.nct_id

)
{%- if is_incremental() %}
    ,

    known as (

        select * from {{ this }}
        where is_current

    ),

    -- a backfill of old windows finds old studies: only those posted since the history began are new
    beginning as (

        select min(valid_from)::date as day from {{ this }}

    )
{%- endif %}

select
    -- which version
    states.nct_id,
    {% if is_incremental() -%} coalesce(known.version, 0) + 1 {%- else -%} 1 {%- endif %} as version,
    states.valid_from,
    null::timestamptz as valid_to,
    true as is_current,

    -- how it was found
    {% if is_incremental() -%}
        known.nct_id is null and case states.found_by
            when 'first_load' then true
            when 'backfill' then coalesce(states.first_posted_date < beginning.day, true)
            else false
        end as is_baseline,
    {%- else -%}
        true as is_baseline,
    {%- endif %}
    states.found_by,
    states.registry_date,
    states.deleted_at,

    -- titles
    states.brief_title,
    states.official_title,

    -- where the trial stands
    states.overall_status,
    states.why_stopped,
    states.has_results,
    states.phase,
    states.enrollment,
    states.enrollment_type,

    -- when: in the sponsor's words, and as dates
    states.start_month_year,
    states.start_date,
    states.start_date_type,
    states.primary_completion_month_year,
    states.primary_completion_date,
    states.primary_completion_date_type,
    states.completion_month_year,
    states.completion_date,
    states.completion_date_type,

    -- who and what
    states.lead_sponsor,
    states.collaborators,
    states.primary_outcomes,
    states.arms,
    states.site_count
from
    states
{%- if is_incremental() %}
left join known on states.nct_id = known.nct_id
cross join beginning
where
    known.nct_id is null
    or states.valid_from > known.valid_from
    and {{ is_another_version('known', 'states') }}
{%- endif %}
