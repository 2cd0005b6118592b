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
        milestone.position as milestone_position,
        milestone.value ->> 'type' as title,
        milestone.value ->> 'comment' as milestone_description,
        milestone.value -> 'achievements' as achievements
    from modules
    cross join lateral {{ json_items("modules.module -> 'periods'", 'period') }}
    cross join lateral {{ json_items("period.value -> 'milestones'", 'milestone') }}

),

unnested as (

    select
        periods.nct_id,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        periods.period::varchar as period,
        periods.title::varchar as title,
        periods.milestone_description::varchar as milestone_description,
        item.value ->> 'description' as description,
        item.value ->> 'comment' as achievement_comment,
        item.value ->> 'numSubjects' as count,
        (item.value ->> 'numUnits')::varchar as count_units,
        array[periods.period_position, periods.milestone_position, item.position] as position
    from periods
    cross join lateral {{ json_items('periods.achievements') }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.period', 'unnested.title', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        case
            when groups.ctgov_group_code is not null
                then {{ result_group_id("'Participant Flow'", 'unnested.ctgov_group_code', nct_id='unnested.nct_id') }}
        end as result_group_id,
        unnested.ctgov_group_code,

        -- the milestone
        unnested.period,
        unnested.title,
        unnested.milestone_description,
        unnested.description,
        unnested.achievement_comment,

        -- how many
        {{ as_integer('unnested.count') }} as count,
        unnested.count_units
    from unnested
    left join groups
        on
            unnested.nct_id = groups.nct_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
