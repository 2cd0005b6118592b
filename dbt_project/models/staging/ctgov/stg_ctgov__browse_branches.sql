with source as (

    {{ changed_studies() }}

),

{{ browse_items('browseBranches') }},

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'derived_from', "item ->> 'abbrev'"], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the branch
        derived_from,
        (item ->> 'abbrev')::varchar as abbrev,
        (item ->> 'name')::varchar as name
    from unnested

)

select * from renamed
