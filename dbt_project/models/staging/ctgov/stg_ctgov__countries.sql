with source as (

    {{ changed_studies() }}

),

unnested as (

    select distinct
        source.nct_id,
        country.name,
        country.removed
    from source
    cross join lateral (
        select
            item.value ->> 'country' as name,
            false as removed
        from {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}
        union all
        select
            item.value #>> '{}' as name,
            true as removed
        from {{ json_items("source.payload #> '{derivedSection,miscInfoModule,removedCountries}'") }}
    ) as country

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'name', 'removed']) }} as id,
        nct_id::varchar as nct_id,

        -- the country
        name::varchar as name,
        removed
    from unnested
    where name is not null

)

select * from renamed
