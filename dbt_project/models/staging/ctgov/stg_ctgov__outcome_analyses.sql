{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}, {'columns': ['outcome_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ identified_outcome_analyses() }},

renamed as (

    select
        -- keys
        outcome_analysis_id as id,
        nct_id::varchar as nct_id,
        outcome_id,

        -- the hypothesis
        analysis ->> 'groupDescription' as groups_description,
        {{ as_boolean("analysis ->> 'testedNonInferiority'") }} as tested_non_inferiority,
        (analysis ->> 'nonInferiorityType')::varchar as non_inferiority_type,
        analysis ->> 'nonInferiorityComment' as non_inferiority_description,

        -- the p-value
        (analysis ->> 'pValue')::varchar as p_value_raw,
        {{ p_value_modifier("analysis ->> 'pValue'") }} as p_value_modifier,
        {{ p_value("analysis ->> 'pValue'") }} as p_value,
        (analysis ->> 'pValueComment')::varchar as p_value_description,

        -- the method
        (analysis ->> 'statisticalMethod')::varchar as method,
        analysis ->> 'statisticalComment' as method_description,

        -- the estimate
        (analysis ->> 'paramType')::varchar as param_type,
        {{ as_numeric("analysis ->> 'paramValue'") }} as param_value,
        (analysis ->> 'paramValue')::varchar as param_value_raw,
        (analysis ->> 'dispersionType')::varchar as dispersion_type,
        {{ as_numeric("analysis ->> 'dispersionValue'") }} as dispersion_value,
        analysis ->> 'estimateComment' as estimate_description,

        -- the confidence interval
        (analysis ->> 'ciNumSides')::varchar as ci_n_sides,
        {{ as_numeric("analysis ->> 'ciPctValue'") }} as ci_percent,
        (analysis ->> 'ciLowerLimit')::varchar as ci_lower_limit_raw,
        {{ as_numeric("analysis ->> 'ciLowerLimit'") }} as ci_lower_limit,
        (analysis ->> 'ciLowerLimitComment')::varchar as ci_lower_limit_na_comment,
        (analysis ->> 'ciUpperLimit')::varchar as ci_upper_limit_raw,
        {{ as_numeric("analysis ->> 'ciUpperLimit'") }} as ci_upper_limit,
        (analysis ->> 'ciUpperLimitComment')::varchar as ci_upper_limit_na_comment,

        -- anything else
        analysis ->> 'otherAnalysisDescription' as other_analysis_description
    from outcome_analyses

)

select * from renamed
