{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ module_with_groups('baselineCharacteristicsModule', 'Baseline') }},

measures as (

    select
        modules.nct_id,
        item.position as measure_position,
        item.value as measure,
        item.value -> 'denoms' as measure_denominators,
        modules.module -> 'denoms' as baseline_denominators,
        (item.value ->> 'title')::varchar as title,
        item.value ->> 'description' as description,
        (item.value ->> 'unitOfMeasure')::varchar as units,
        (item.value ->> 'paramType')::varchar as param_type,
        (item.value ->> 'dispersionType')::varchar as dispersion_type,
        (item.value ->> 'populationDescription')::varchar as population_description,
        coalesce(item.value ->> 'denomUnitsSelected', 'Participants')::varchar as number_analyzed_units,
        {{ yes_or_no("item.value ->> 'calculatePct'") }} as calculate_percentage
    from modules
    cross join lateral {{ json_items("modules.module -> 'measures'") }}
    {{ evaluate_once() }}

),

unnested as (

    select
        measures.*,
        (class.value ->> 'title')::varchar as classification,
        (category.value ->> 'title')::varchar as category,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        (item.value ->> 'value')::varchar as param_value,
        (item.value ->> 'spread')::varchar as dispersion_value,
        item.value ->> 'lowerLimit' as dispersion_lower_limit,
        item.value ->> 'upperLimit' as dispersion_upper_limit,
        (item.value ->> 'comment')::varchar as explanation_of_na,
        {%- set group = "item.value ->> 'groupId'" %}
        coalesce(
            {{ denominator("class.value -> 'denoms'", 'measures.number_analyzed_units', group) }},
            {{ denominator('measures.measure_denominators', 'measures.number_analyzed_units', group) }},
            {{ denominator('measures.baseline_denominators', 'measures.number_analyzed_units', group) }}
        ) as number_analyzed,
        array[measures.measure_position, class.position, category.position, item.position] as position
    from measures
    cross join lateral {{ json_items("measures.measure -> 'classes'", 'class') }}
    cross join lateral {{ json_items("class.value -> 'categories'", 'category') }}
    cross join lateral {{ json_items("category.value -> 'measurements'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.title', 'unnested.classification', 'unnested.category', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
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
        {{ as_numeric('unnested.dispersion_lower_limit') }} as dispersion_lower_limit,
        {{ as_numeric('unnested.dispersion_upper_limit') }} as dispersion_upper_limit,
        unnested.explanation_of_na,

        -- of how many
        {{ as_integer('unnested.number_analyzed') }} as number_analyzed,
        unnested.number_analyzed_units,
        unnested.population_description,
        unnested.calculate_percentage
    from unnested
    left join groups
        on
            unnested.nct_id = groups.nct_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
