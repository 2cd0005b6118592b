{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

{{ identified_interventions() }},

renamed as (

    select
        -- keys
        intervention_id as id,
        nct_id::varchar as nct_id,

        -- what is given
        (intervention ->> 'type')::varchar as intervention_type,
        (intervention ->> 'name')::varchar as name,
        intervention ->> 'description' as description
    from identified_interventions

)

select * from renamed
