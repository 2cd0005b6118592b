{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ identified_outcomes() }},

renamed as (

    select
        -- keys
        outcome_id as id,
        nct_id::varchar as nct_id,

        -- the outcome
        (outcome ->> 'type')::varchar as outcome_type,
        outcome ->> 'title' as title,
        outcome ->> 'description' as description,
        outcome ->> 'timeFrame' as time_frame,
        outcome ->> 'populationDescription' as population,
        (outcome ->> 'reportingStatus')::varchar as reporting_status,

        -- results that are still to come
        (outcome ->> 'anticipatedPostingDate')::varchar as anticipated_posting_month_year,
        {{ first_of_month("outcome ->> 'anticipatedPostingDate'") }} as anticipated_posting_date,

        -- what the values are
        (outcome ->> 'unitOfMeasure')::varchar as units,
        (outcome ->> 'typeUnitsAnalyzed')::varchar as units_analyzed,
        (outcome ->> 'denomUnitsSelected')::varchar as denominator_units,
        {{ yes_or_no("outcome ->> 'calculatePct'") }} as calculate_percentage,
        (outcome ->> 'paramType')::varchar as param_type,
        (outcome ->> 'dispersionType')::varchar as dispersion_type
    from outcomes

)

select * from renamed
