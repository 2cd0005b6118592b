{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['intervention_id']}]) }}

with source as (

    {{ changed_studies() }}

),

interventions as (

    select
        source.nct_id,
        item.position,
        item.value ->> 'type' as intervention_type,
        item.value ->> 'name' as name,
        item.value -> 'otherNames' as other_names
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,armsInterventionsModule,interventions}'") }}

),

-- the same key as in stg_ctgov__interventions
identified_interventions as (

    select
        {{ surrogate_id(['nct_id', 'intervention_type', 'name'], position='position') }} as intervention_id,
        nct_id,
        other_names
    from interventions

),

unnested as (

    select
        identified_interventions.nct_id,
        identified_interventions.intervention_id,
        item.position,
        (item.value #>> '{}')::varchar as name
    from identified_interventions
    cross join lateral {{ json_items('identified_interventions.other_names') }}

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
