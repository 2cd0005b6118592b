with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'name')::varchar as name,
        (item.value ->> 'role')::varchar as role,
        (item.value ->> 'phone')::varchar as phone,
        (item.value ->> 'phoneExt')::varchar as phone_extension,
        (item.value ->> 'email')::varchar as email
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,centralContacts}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'role', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the contact
        (case position when 1 then 'primary' else 'backup' end)::varchar as contact_type,
        name,
        role,

        -- how to reach it
        phone,
        phone_extension,
        email
    from unnested

)

select * from renamed
