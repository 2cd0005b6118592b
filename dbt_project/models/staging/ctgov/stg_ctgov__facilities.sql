{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'status')::varchar as status,
        (item.value ->> 'facility')::varchar as name,
        (item.value ->> 'city')::varchar as city,
        (item.value ->> 'state')::varchar as state,
        (item.value ->> 'zip')::varchar as zip,
        (item.value ->> 'country')::varchar as country,
        item.value #>> '{geoPoint,lat}' as latitude,
        item.value #>> '{geoPoint,lon}' as longitude
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'name', 'city', 'state', 'zip', 'country'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the site
        status,
        name,
        city,
        state,
        zip,
        country,

        -- where it is
        {{ as_degrees('latitude') }} as latitude,
        {{ as_degrees('longitude') }} as longitude
    from unnested

)

select * from renamed
