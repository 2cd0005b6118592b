{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,statusModule}' as status_module,
        payload #> '{protocolSection,eligibilityModule}' as eligibility_module,
        payload #> '{protocolSection,outcomesModule}' as outcomes_module,
        payload #> '{protocolSection,contactsLocationsModule,locations}' as locations,
        payload #> '{resultsSection,outcomeMeasuresModule,outcomeMeasures}' as outcome_measures,
        payload #> '{resultsSection,adverseEventsModule}' as adverse_events_module
    from source
    {{ evaluate_once() }}

),

extracted as (

    select
        *,

        -- dates
        {{ partial_date("status_module ->> 'studyFirstSubmitDate'") }} as study_first_submitted_date,
        {{ partial_date("status_module ->> 'resultsFirstSubmitDate'") }} as results_first_submitted_date,
        {{ partial_date("status_module #>> '{startDateStruct,date}'") }} as start_date,
        {{ partial_date("status_module #>> '{primaryCompletionDateStruct,date}'") }} as primary_completion_date,
        'ESTIMATED' in (
            status_module #>> '{startDateStruct,type}', status_module #>> '{primaryCompletionDateStruct,type}'
        ) as has_estimated_date,

        -- ages
        eligibility_module ->> 'minimumAge' as minimum_age,
        eligibility_module ->> 'maximumAge' as maximum_age,

        -- sites
        coalesce({{ json_length('locations') }}, 0) as number_of_facilities
    from modules
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- sites
        number_of_facilities,
        case when number_of_facilities > 0 then {{ has_us_location('locations') }} end as has_us_facility,
        case when number_of_facilities > 0 then number_of_facilities = 1 end as has_single_facility,

        -- time, in months of 30 days
        date_part('year', study_first_submitted_date)::integer as registered_in_calendar_year,
        case
            when has_estimated_date is not true then (primary_completion_date - start_date) / 30
        end as actual_duration,
        (results_first_submitted_date - primary_completion_date) / 30 as months_to_report_results,
        null::date as nlm_download_date,

        -- eligible ages
        {{ age_number('minimum_age') }} as minimum_age_num,
        {{ age_unit('minimum_age') }} as minimum_age_unit,
        {{ age_number('maximum_age') }} as maximum_age_num,
        {{ age_unit('maximum_age') }} as maximum_age_unit,

        -- outcomes
        nullif({{ json_length("outcomes_module -> 'primaryOutcomes'") }}, 0) as number_of_primary_outcomes_to_measure,
        nullif({{ json_length("outcomes_module -> 'secondaryOutcomes'") }}, 0)
            as number_of_secondary_outcomes_to_measure,
        nullif({{ json_length("outcomes_module -> 'otherOutcomes'") }}, 0) as number_of_other_outcomes_to_measure,
        coalesce({{ json_length('outcome_measures') }} > 0, false) as were_results_reported,

        -- adverse events
        {{ subjects_affected('adverse_events_module', 'seriousEvents') }} as number_of_sae_subjects,
        {{ subjects_affected('adverse_events_module', 'otherEvents') }} as number_of_nsae_subjects,
        {{ subjects_with_events('adverse_events_module', 'serious') }} as number_of_subjects_with_sae,
        {{ subjects_with_events('adverse_events_module', 'other') }} as number_of_subjects_with_nsae
    from extracted

)

select * from renamed
