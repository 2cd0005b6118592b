with source as (

    {{ changed_studies() }}

),

unnested as (

    select
        source.nct_id,
        item.position,
        (item.value #>> '{}')::varchar as name
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,ipdSharingStatementModule,infoTypes}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the kind
        name
    from unnested

)

select * from renamed
