{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['outcome_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ identified_outcomes() }},

{{ groups_of_outcomes() }},

described as (

    select
        nct_id,
        outcome_id,
        outcome,
        (outcome ->> 'title')::varchar as title,
        outcome ->> 'description' as description,
        (outcome ->> 'unitOfMeasure')::varchar as units,
        (outcome ->> 'paramType')::varchar as param_type,
        (outcome ->> 'dispersionType')::varchar as dispersion_type,
        coalesce(outcome ->> 'denomUnitsSelected', 'Participants')::varchar as number_analyzed_units,
        outcome -> 'denoms' as denominators
    from outcomes
    {{ evaluate_once() }}

),

unnested as (

    select
        described.nct_id,
        described.outcome_id,
        described.title,
        described.description,
        described.units,
        described.param_type,
        described.dispersion_type,
        described.number_analyzed_units,
        (class.value ->> 'title')::varchar as classification,
        (category.value ->> 'title')::varchar as category,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        (item.value ->> 'value')::varchar as param_value,
        (item.value ->> 'spread')::varchar as dispersion_value,
        (item.value ->> 'lowerLimit')::varchar as dispersion_lower_limit_raw,
        (item.value ->> 'upperLimit')::varchar as dispersion_upper_limit_raw,
        item.value ->> 'comment' as explanation_of_na,
        {%- set group = "item.value ->> 'groupId'" %}
        coalesce(
            {{ denominator("class.value -> 'denoms'", 'described.number_analyzed_units', group) }},
            {{ denominator('described.denominators', 'described.number_analyzed_units', group) }}
        ) as number_analyzed,
        array[class.position, category.position, item.position] as position
    from described
    cross join lateral {{ json_items("described.outcome -> 'classes'", 'class') }}
    cross join lateral {{ json_items("class.value -> 'categories'", 'category') }}
    cross join lateral {{ json_items("category.value -> 'measurements'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.outcome_id', 'unnested.classification', 'unnested.category', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        unnested.outcome_id,
        groups.result_group_id,
        unnested.ctgov_group_code,

        -- what is measured
        unnested.classification,
        unnested.category,
        unnested.title,
        unnested.description,
        unnested.units,

        -- the value
        unnested.param_type,
        unnested.param_value,
        {{ as_numeric('unnested.param_value') }} as param_value_num,
        unnested.dispersion_type,
        unnested.dispersion_value,
        {{ as_numeric('unnested.dispersion_value') }} as dispersion_value_num,
        unnested.dispersion_lower_limit_raw,
        {{ as_numeric('unnested.dispersion_lower_limit_raw') }} as dispersion_lower_limit,
        unnested.dispersion_upper_limit_raw,
        {{ as_numeric('unnested.dispersion_upper_limit_raw') }} as dispersion_upper_limit,
        unnested.explanation_of_na,

        -- of how many
        {{ as_integer('unnested.number_analyzed') }} as number_analyzed,
        unnested.number_analyzed_units
    from unnested
    left join groups
        on
            unnested.outcome_id = groups.outcome_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
