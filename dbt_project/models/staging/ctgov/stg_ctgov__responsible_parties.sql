{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

parties as (

    select
        nct_id,
        payload #> '{protocolSection,sponsorCollaboratorsModule,responsibleParty}' as party
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- the party
        (party ->> 'type')::varchar as responsible_party_type,
        (party ->> 'investigatorFullName')::varchar as name,
        (party ->> 'investigatorTitle')::varchar as title,
        party ->> 'investigatorAffiliation' as affiliation,

        -- older records
        (party ->> 'oldOrganization')::varchar as organization,
        (party ->> 'oldNameTitle')::varchar as old_name_title
    from parties
    where jsonb_typeof(party) = 'object'

)

select * from renamed
