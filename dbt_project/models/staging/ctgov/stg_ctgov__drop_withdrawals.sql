{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ counts_by_period('dropWithdraws', 'reasons') }},

unnested as (

    select
        nct_id,
        period,
        (count ->> 'groupId')::varchar as ctgov_group_code,
        (entry ->> 'type')::varchar as reason,
        (entry ->> 'comment')::varchar as drop_withdraw_comment,
        (count ->> 'comment')::varchar as reason_comment,
        count ->> 'numSubjects' as count,
        count ->> 'numUnits' as count_units,
        position
    from counted
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.period', 'unnested.reason', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        groups.result_group_id,
        unnested.ctgov_group_code,

        -- why
        unnested.period,
        unnested.reason,
        unnested.drop_withdraw_comment,
        unnested.reason_comment,

        -- how many
        {{ as_integer('unnested.count') }} as count,
        {{ as_integer('unnested.count_units') }} as count_units
    from unnested
    left join groups
        on
            unnested.nct_id = groups.nct_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
