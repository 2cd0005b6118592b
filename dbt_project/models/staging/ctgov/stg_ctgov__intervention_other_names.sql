{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['intervention_id']}]) }}

with source as (

    {{ changed_studies() }}

),

{{ identified_interventions() }},

unnested as (

    select
        identified_interventions.nct_id,
        identified_interventions.intervention_id,
        item.position,
        (item.value #>> '{}')::varchar as name
    from identified_interventions
    cross join lateral {{ json_items("identified_interventions.intervention -> 'otherNames'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'intervention_id', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,
        intervention_id,

        -- the name
        name
    from unnested

)

select * from renamed
