with source as (

    {{ changed_studies() }}

),

{{ browse_items('browseLeaves') }},

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'derived_from', "item ->> 'id'"], position='position') }} as id,
        nct_id::varchar as nct_id,
        (item ->> 'id')::varchar as leaf_id,

        -- the term
        derived_from,
        (item ->> 'name')::varchar as name,
        (item ->> 'asFound')::varchar as as_found,
        (item ->> 'relevance')::varchar as relevance
    from unnested

)

select * from renamed
