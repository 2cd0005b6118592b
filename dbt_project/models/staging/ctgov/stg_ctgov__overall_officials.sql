with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'role')::varchar as role,
        (item.value ->> 'name')::varchar as name,
        (item.value ->> 'affiliation')::varchar as affiliation
    from source
    cross join
        lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,overallOfficials}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'role', 'name', 'affiliation'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the official
        role,
        name,
        affiliation
    from unnested

)

select * from renamed
