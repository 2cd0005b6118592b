-- A view: the terms are where staging has them, and a search reads only the kinds that it asks for.
{{ config(materialized='view') }}

with studies as (

    select * from {{ ref('stg_ctgov__studies') }}

),

conditions as (

    select
        nct_id,
        name
    from {{ ref('stg_ctgov__conditions') }}
    union all
    select
        nct_id,
        mesh_term as name
    from {{ ref('stg_ctgov__browse_conditions') }}

),

interventions as (

    select
        nct_id,
        name
    from {{ ref('stg_ctgov__interventions') }}
    union all
    select
        nct_id,
        name
    from {{ ref('stg_ctgov__intervention_other_names') }}
    union all
    select
        nct_id,
        mesh_term as name
    from {{ ref('stg_ctgov__browse_interventions') }}

),

titles as (

    select
        nct_id,
        brief_title as name
    from studies
    union all
    select
        nct_id,
        official_title as name
    from studies
    union all
    select
        nct_id,
        acronym as name
    from studies

),

terms as (

    select
        nct_id,
        'condition'::text as kind,
        name::text as term
    from conditions
    union all
    select
        nct_id,
        'intervention' as kind,
        name::text as term
    from interventions
    union all
    select
        nct_id,
        'keyword' as kind,
        name::text as term
    from {{ ref('stg_ctgov__keywords') }}
    union all
    select
        nct_id,
        'title' as kind,
        name::text as term
    from titles
    union all
    select
        nct_id,
        'sponsor' as kind,
        name::text as term
    from {{ ref('stg_ctgov__sponsors') }}

)

select
    nct_id::text as nct_id,
    kind,
    term
from terms
where term is not null
