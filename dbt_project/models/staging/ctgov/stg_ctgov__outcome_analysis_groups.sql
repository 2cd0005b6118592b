{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['outcome_analysis_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ identified_outcome_analyses() }},

{{ groups_of_outcomes() }},

unnested as (

    select
        outcome_analyses.nct_id,
        outcome_analyses.outcome_id,
        outcome_analyses.outcome_analysis_id,
        item.position,
        (item.value #>> '{}')::varchar as ctgov_group_code
    from outcome_analyses
    cross join lateral {{ json_items("outcome_analyses.analysis -> 'groupIds'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.outcome_analysis_id', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        unnested.outcome_analysis_id,
        groups.result_group_id,
        unnested.ctgov_group_code
    from unnested
    left join groups
        on
            unnested.outcome_id = groups.outcome_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
