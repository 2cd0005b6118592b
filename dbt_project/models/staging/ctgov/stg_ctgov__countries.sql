with source as (

    {{ changed_studies() }}

),

current_countries as (

    select distinct
        source.nct_id,
        item.value ->> 'country' as name,
        false as removed
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}

),

removed_countries as (

    select distinct
        source.nct_id,
        item.value #>> '{}' as name,
        true as removed
    from source
    cross join lateral {{ json_items("source.payload #> '{derivedSection,miscInfoModule,removedCountries}'") }}

),

unioned as (

    select * from current_countries
    union all
    select * from removed_countries

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'name', 'removed']) }} as id,
        nct_id::varchar as nct_id,

        -- the country
        name::varchar as name,
        removed
    from unioned
    where name is not null

)

select * from renamed
