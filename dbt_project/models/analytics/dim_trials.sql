-- lists are joined with `|`, as in AACT's own views
with studies as (

    select * from {{ ref('stg_ctgov__studies') }}

),

lead_sponsors as (

    select
        nct_id,
        name,
        agency_class
    from {{ ref('stg_ctgov__sponsors') }}
    where lead_or_collaborator = 'lead'

),

collaborators as (

    select
        nct_id,
        count(*)::integer as collaborator_count
    from {{ ref('stg_ctgov__sponsors') }}
    where lead_or_collaborator = 'collaborator'
    group by nct_id

),

conditions as (

    select
        nct_id,
        string_agg(distinct name, '|' order by name) as names
    from {{ ref('stg_ctgov__conditions') }}
    group by nct_id

),

condition_mesh_terms as (

    select
        nct_id,
        string_agg(distinct mesh_term, '|' order by mesh_term) as names
    from {{ ref('stg_ctgov__browse_conditions') }}
    where mesh_type = 'mesh-list'
    group by nct_id

),

interventions as (

    select
        nct_id,
        string_agg(distinct name, '|' order by name) as names,
        string_agg(distinct intervention_type, '|' order by intervention_type) as types
    from {{ ref('stg_ctgov__interventions') }}
    group by nct_id

),

facilities as (

    select
        nct_id,
        count(*)::integer as facility_count,
        count(distinct country)::integer as country_count
    from {{ ref('stg_ctgov__facilities') }}
    group by nct_id

)

select
    -- what it is
    studies.nct_id::text as nct_id,
    studies.brief_title,
    studies.acronym::text as acronym,
    studies.study_type::text as study_type,
    studies.phase::text as phase,

    -- where it stands
    studies.overall_status::text as overall_status,
    coalesce(studies.overall_status in ('TERMINATED', 'WITHDRAWN', 'SUSPENDED'), false) as is_stopped,
    {{ normalized_text('studies.why_stopped') }} as why_stopped,
    coalesce(studies.has_results, false) as has_results,

    -- who runs it
    lead_sponsors.name::text as lead_sponsor,
    lead_sponsors.agency_class::text as lead_sponsor_class,
    coalesce(collaborators.collaborator_count, 0) as collaborator_count,

    -- what it is about
    conditions.names as condition_names,
    condition_mesh_terms.names as condition_mesh_terms,
    interventions.names as intervention_names,
    interventions.types as intervention_types,

    -- size
    studies.enrollment,
    studies.enrollment_type::text as enrollment_type,
    coalesce(facilities.facility_count, 0) as facility_count,
    coalesce(facilities.country_count, 0) as country_count,

    -- when
    studies.start_date,
    studies.start_date_type::text as start_date_type,
    {{ date_precision('studies.start_month_year', 'studies.start_date') }} as start_date_precision,
    studies.primary_completion_date,
    studies.primary_completion_date_type::text as primary_completion_date_type,
    {{ date_precision('studies.primary_completion_month_year', 'studies.primary_completion_date') }}
        as primary_completion_date_precision,
    studies.completion_date,
    studies.completion_date_type::text as completion_date_type,
    {{ date_precision('studies.completion_month_year', 'studies.completion_date') }} as completion_date_precision,

    -- in the registry
    studies.study_first_posted_date as first_posted_date,
    studies.last_update_posted_date,
    studies.deleted_at
from studies
left join lead_sponsors on studies.nct_id = lead_sponsors.nct_id
left join collaborators on studies.nct_id = collaborators.nct_id
left join conditions on studies.nct_id = conditions.nct_id
left join condition_mesh_terms on studies.nct_id = condition_mesh_terms.nct_id
left join interventions on studies.nct_id = interventions.nct_id
left join facilities on studies.nct_id = facilities.nct_id
