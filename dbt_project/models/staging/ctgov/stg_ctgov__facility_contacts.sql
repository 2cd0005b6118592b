{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['facility_id']}]) }}

with source as (

    {{ changed_studies() }}

),

{{ identified_facilities() }},

contacts as (

    select
        facilities.nct_id,
        facilities.facility_id,
        item.position,
        (item.value ->> 'name')::varchar as name,
        (item.value ->> 'role')::varchar as role,
        (item.value ->> 'phone')::varchar as phone,
        (item.value ->> 'phoneExt')::varchar as phone_extension,
        (item.value ->> 'email')::varchar as email
    from facilities
    cross join lateral {{ json_items('facilities.contacts') }}
    where not {{ is_investigator("item.value ->> 'role'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'facility_id', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,
        facility_id,

        -- the contact
        (
            case row_number() over (partition by facility_id order by position) when 1 then 'primary' else 'backup' end
        )::varchar as contact_type,
        name,
        role,

        -- how to reach it
        phone,
        phone_extension,
        email
    from contacts

)

select * from renamed
