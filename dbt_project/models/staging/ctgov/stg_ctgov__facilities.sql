{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

{{ identified_facilities() }},

renamed as (

    select
        -- keys
        facility_id as id,
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
    from facilities

)

select * from renamed
