{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ counts_by_period('milestones', 'achievements') }},

unnested as (

    select
        nct_id,
        period,
        (count ->> 'groupId')::varchar as ctgov_group_code,
        (entry ->> 'type')::varchar as title,
        (entry ->> 'comment')::varchar as milestone_description,
        count ->> 'description' as description,
        count ->> 'comment' as achievement_comment,
        count ->> 'numSubjects' as count,
        (count ->> 'numUnits')::varchar as count_units,
        position
    from counted
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
        groups.result_group_id,
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
