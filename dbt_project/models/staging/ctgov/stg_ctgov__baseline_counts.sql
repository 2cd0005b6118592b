{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ module_with_groups('baselineCharacteristicsModule', 'Baseline') }},

unnested as (

    select
        modules.nct_id,
        (denominator.value ->> 'units')::varchar as units,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        item.value ->> 'value' as count,
        array[denominator.position, item.position] as position
    from modules
    cross join lateral {{ json_items("modules.module -> 'denoms'", 'denominator') }}
    cross join lateral {{ json_items("denominator.value -> 'counts'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.units', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        groups.result_group_id,
        unnested.ctgov_group_code,

        -- how many
        unnested.units,
        'overall'::varchar as scope,
        {{ as_integer('unnested.count') }} as count
    from unnested
    left join groups
        on
            unnested.nct_id = groups.nct_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
