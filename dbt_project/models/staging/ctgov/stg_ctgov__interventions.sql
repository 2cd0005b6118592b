{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'type')::varchar as intervention_type,
        (item.value ->> 'name')::varchar as name,
        item.value ->> 'description' as description
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,armsInterventionsModule,interventions}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'intervention_type', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- what is given
        intervention_type,
        name,
        description
    from unnested

)

select * from renamed
