{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'pmid')::varchar as pmid,
        (item.value ->> 'type')::varchar as reference_type,
        item.value ->> 'citation' as citation
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,referencesModule,references}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'reference_type', 'pmid', 'citation'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the publication
        pmid,
        reference_type,
        citation
    from unnested

)

select * from renamed
