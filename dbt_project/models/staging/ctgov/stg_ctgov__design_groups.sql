{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'type')::varchar as group_type,
        (item.value ->> 'label')::varchar as title,
        item.value ->> 'description' as description,
        array(
            select jsonb_path_query(item.value, '$.interventionNames[*]') #>> '{}'
        ) as intervention_names
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,armsInterventionsModule,armGroups}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'title'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the arm or group
        group_type,
        title,
        description,
        nullif(array_to_string(intervention_names, '|'), '') as intervention_names
    from unnested

)

select * from renamed
