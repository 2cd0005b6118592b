{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

contacts as (

    select
        nct_id,
        payload #> '{resultsSection,moreInfoModule,pointOfContact}' as contact
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- the contact
        (contact ->> 'organization')::varchar as organization,
        (contact ->> 'title')::varchar as name,

        -- how to reach it
        (contact ->> 'phone')::varchar as phone,
        (contact ->> 'phoneExt')::varchar as extension,
        (contact ->> 'email')::varchar as email
    from contacts
    where jsonb_typeof(contact) = 'object'

)

select * from renamed
