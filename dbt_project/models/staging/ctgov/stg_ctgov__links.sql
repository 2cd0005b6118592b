with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'url')::varchar as url,
        item.value ->> 'label' as description
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,referencesModule,seeAlsoLinks}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'url', 'description'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the page
        url,
        description
    from unnested

)

select * from renamed
