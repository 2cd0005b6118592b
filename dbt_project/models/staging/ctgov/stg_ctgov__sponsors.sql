with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,sponsorCollaboratorsModule}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.lead_or_collaborator::varchar as lead_or_collaborator,
        item.position,
        (item.value ->> 'class')::varchar as agency_class,
        (item.value ->> 'name')::varchar as name
    from modules
    cross join (
        values
        ('lead', 'leadSponsor'),
        ('collaborator', 'collaborators')
    ) as kind (lead_or_collaborator, list)
    cross join lateral {{ json_items('modules.module -> kind.list') }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'lead_or_collaborator', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the organisation and its part
        agency_class,
        lead_or_collaborator,
        name
    from unnested

)

select * from renamed
