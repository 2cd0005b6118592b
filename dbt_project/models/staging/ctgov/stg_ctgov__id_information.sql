with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,identificationModule}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.id_source::varchar as id_source,
        item.position,
        -- an alias is the bare id, the others are objects
        (case kind.id_source when 'nct_alias' then item.value #>> '{}' else item.value ->> 'id' end)::varchar
            as id_value,
        (item.value ->> 'type')::varchar as id_type,
        (item.value ->> 'domain')::varchar as id_type_description,
        (item.value ->> 'link')::varchar as id_link
    from modules
    cross join (
        values
        ('nct_alias', 'nctIdAliases'),
        ('org_study_id', 'orgStudyIdInfo'),
        ('secondary_id', 'secondaryIdInfos')
    ) as kind (id_source, list)
    cross join lateral {{ json_items('modules.module -> kind.list') }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'id_source', 'id_type', 'id_value'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the other identifier
        id_source,
        id_value,
        id_type,
        id_type_description,
        id_link
    from unnested

)

select * from renamed
