{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ module_with_groups('participantFlowModule') }},

periods as (

    select
        modules.nct_id,
        period.position as period_position,
        period.value ->> 'title' as period,
        withdrawal.position as withdrawal_position,
        withdrawal.value ->> 'type' as reason,
        withdrawal.value ->> 'comment' as drop_withdraw_comment,
        withdrawal.value -> 'reasons' as reasons
    from modules
    cross join lateral {{ json_items("modules.module -> 'periods'", 'period') }}
    cross join lateral {{ json_items("period.value -> 'dropWithdraws'", 'withdrawal') }}

),

unnested as (

    select
        periods.nct_id,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        periods.period::varchar as period,
        periods.reason::varchar as reason,
        periods.drop_withdraw_comment::varchar as drop_withdraw_comment,
        (item.value ->> 'comment')::varchar as reason_comment,
        item.value ->> 'numSubjects' as count,
        item.value ->> 'numUnits' as count_units,
        array[periods.period_position, periods.withdrawal_position, item.position] as position
    from periods
    cross join lateral {{ json_items('periods.reasons') }}
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
        case
            when groups.ctgov_group_code is not null
                then {{ result_group_id("'Participant Flow'", 'unnested.ctgov_group_code', nct_id='unnested.nct_id') }}
        end as result_group_id,
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
