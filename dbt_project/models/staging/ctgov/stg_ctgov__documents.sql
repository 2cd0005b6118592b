with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'id')::varchar as document_id,
        (item.value ->> 'type')::varchar as document_type,
        (item.value ->> 'url')::varchar as url,
        item.value ->> 'comment' as comment
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,referencesModule,availIpds}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'document_id', 'document_type', 'url'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the document
        document_id,
        document_type,
        url,
        comment
    from unnested

)

select * from renamed
