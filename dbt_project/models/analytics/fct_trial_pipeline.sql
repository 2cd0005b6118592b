with trials as (

    select * from {{ ref('dim_trials') }}
    where deleted_at is null

),

condition_mesh_terms as (

    select distinct
        nct_id,
        mesh_term::text as mesh_term
    from {{ ref('stg_ctgov__browse_conditions') }}
    where mesh_type = 'mesh-list'

)

select
    condition_mesh_terms.mesh_term as condition_mesh_term,
    coalesce(trials.phase, 'NOT_REPORTED') as phase,
    coalesce(trials.overall_status, 'NOT_REPORTED') as overall_status,
    coalesce(trials.lead_sponsor_class, 'NOT_REPORTED') as lead_sponsor_class,
    count(*)::integer as study_count
from trials
inner join condition_mesh_terms on trials.nct_id = condition_mesh_terms.nct_id
group by 1, 2, 3, 4
