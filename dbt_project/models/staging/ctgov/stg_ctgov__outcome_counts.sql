{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['outcome_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ identified_outcomes() }},

{{ groups_of_outcomes() }},

unnested as (

    select
        outcomes.nct_id,
        outcomes.outcome_id,
        (denominator.value ->> 'units')::varchar as units,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        item.value ->> 'value' as count,
        array[denominator.position, item.position] as position
    from outcomes
    cross join lateral {{ json_items("outcomes.outcome -> 'denoms'", 'denominator') }}
    cross join lateral {{ json_items("denominator.value -> 'counts'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.outcome_id', 'unnested.units', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        unnested.outcome_id,
        groups.result_group_id,
        unnested.ctgov_group_code,

        -- how many
        'Measure'::varchar as scope,
        unnested.units,
        {{ as_integer('unnested.count') }} as count
    from unnested
    left join groups
        on
            unnested.outcome_id = groups.outcome_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
