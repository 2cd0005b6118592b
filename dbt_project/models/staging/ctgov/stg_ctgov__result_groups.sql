{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}, {'columns': ['outcome_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

-- read again, because Postgres would keep all documents on disk between two uses of `source`
source_of_modules as (

    {{ changed_studies(section='resultsSection') }}

),

modules as (

    select
        nct_id,
        payload -> 'resultsSection' as results
    from source_of_modules
    {{ evaluate_once() }}

),

{{ identified_outcomes() }},

listed as (

    select
        modules.nct_id,
        null::bigint as outcome_id,
        part.result_type,
        item.value,
        item.position
    from modules
    cross join (
        values
        ('Participant Flow', '{participantFlowModule,groups}'::text[]),
        ('Baseline', '{baselineCharacteristicsModule,groups}'),
        ('Reported Event', '{adverseEventsModule,eventGroups}')
    ) as part (result_type, path)
    cross join lateral {{ json_items('modules.results #> part.path') }}

    union all

    select
        outcomes.nct_id,
        outcomes.outcome_id,
        'Outcome' as result_type,
        item.value,
        item.position
    from outcomes
    cross join lateral {{ json_items("outcomes.outcome -> 'groups'") }}

),

-- the registry never gives a code twice; if it did, the first would count
unnested as (

    select distinct on (nct_id, result_type, outcome_id, value ->> 'id')
        nct_id,
        outcome_id,
        result_type::varchar as result_type,
        (value ->> 'id')::varchar as ctgov_group_code,
        (value ->> 'title')::varchar as title,
        value ->> 'description' as description
    from listed
    order by nct_id, result_type, outcome_id, value ->> 'id', position

),

renamed as (

    select
        -- keys
        {{ result_group_id('result_type', 'ctgov_group_code', 'outcome_id') }} as id,
        nct_id::varchar as nct_id,
        outcome_id,

        -- the group
        result_type,
        ctgov_group_code,
        title,
        description
    from unnested

)

select * from renamed
