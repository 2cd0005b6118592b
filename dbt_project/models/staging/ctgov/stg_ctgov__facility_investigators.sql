{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['facility_id']}]) }}

with source as (

    {{ changed_studies() }}

),

{{ identified_facilities() }},

investigators as (

    select
        facilities.nct_id,
        facilities.facility_id,
        item.position,
        (item.value ->> 'role')::varchar as role,
        (item.value ->> 'name')::varchar as name,
        (item.value ->> 'phone')::varchar as phone,
        (item.value ->> 'phoneExt')::varchar as phone_extension,
        (item.value ->> 'email')::varchar as email
    from facilities
    cross join lateral {{ json_items('facilities.contacts') }}
    where {{ is_investigator("item.value ->> 'role'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'facility_id', 'role', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,
        facility_id,

        -- the investigator
        role,
        name,

        -- how to reach the investigator
        phone,
        phone_extension,
        email
    from investigators

)

select * from renamed
