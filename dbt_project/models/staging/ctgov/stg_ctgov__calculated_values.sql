with source as (

    {{ changed_studies() }}

),

extracted as (

    select
        source.nct_id,

        -- dates
        {{ partial_date("payload #>> '{protocolSection,statusModule,studyFirstSubmitDate}'") }} as submitted_date,
        {{ partial_date("payload #>> '{protocolSection,statusModule,resultsFirstSubmitDate}'") }} as results_submitted_date,
        {{ partial_date("payload #>> '{protocolSection,statusModule,startDateStruct,date}'") }} as start_date,
        {{ partial_date("payload #>> '{protocolSection,statusModule,primaryCompletionDateStruct,date}'") }}
            as primary_completion_date,
        payload #>> '{protocolSection,statusModule,startDateStruct,type}' as start_date_type,
        payload #>> '{protocolSection,statusModule,primaryCompletionDateStruct,type}' as primary_completion_date_type,

        -- ages
        payload #>> '{protocolSection,eligibilityModule,minimumAge}' as minimum_age,
        payload #>> '{protocolSection,eligibilityModule,maximumAge}' as maximum_age,

        -- counts
        {{ json_length("payload #> '{protocolSection,outcomesModule,primaryOutcomes}'") }} as primary_outcomes,
        {{ json_length("payload #> '{protocolSection,outcomesModule,secondaryOutcomes}'") }} as secondary_outcomes,
        {{ json_length("payload #> '{protocolSection,outcomesModule,otherOutcomes}'") }} as other_outcomes,
        {{ json_length("payload #> '{resultsSection,outcomeMeasuresModule,outcomeMeasures}'") }} as reported_outcomes,
        facilities.number_of_facilities,
        facilities.has_us_facility,
        serious_events.subjects_affected as number_of_sae_subjects,
        other_events.subjects_affected as number_of_nsae_subjects
    from source
    cross join lateral (
        select
            count(*)::integer as number_of_facilities,
            bool_or(coalesce(item.value ->> 'country' in {{ us_countries() }}, false)) as has_us_facility
        from {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}
    ) as facilities
    cross join lateral (
        {{ subjects_affected('seriousEvents') }}
    ) as serious_events
    cross join lateral (
        {{ subjects_affected('otherEvents') }}
    ) as other_events
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- sites
        number_of_facilities,
        has_us_facility,
        case when number_of_facilities > 0 then number_of_facilities = 1 end as has_single_facility,

        -- time, in months of 30 days
        date_part('year', submitted_date)::integer as registered_in_calendar_year,
        case
            when coalesce(start_date_type, '') <> 'ESTIMATED' and coalesce(primary_completion_date_type, '') <> 'ESTIMATED'
                then (primary_completion_date - start_date) / 30
        end as actual_duration,
        (results_submitted_date - primary_completion_date) / 30 as months_to_report_results,
        null::date as nlm_download_date,

        -- eligible ages
        {{ age_number('minimum_age') }} as minimum_age_num,
        {{ age_unit('minimum_age') }} as minimum_age_unit,
        {{ age_number('maximum_age') }} as maximum_age_num,
        {{ age_unit('maximum_age') }} as maximum_age_unit,

        -- outcomes
        nullif(primary_outcomes, 0) as number_of_primary_outcomes_to_measure,
        nullif(secondary_outcomes, 0) as number_of_secondary_outcomes_to_measure,
        nullif(other_outcomes, 0) as number_of_other_outcomes_to_measure,
        coalesce(reported_outcomes, 0) > 0 as were_results_reported,

        -- adverse events
        number_of_sae_subjects,
        number_of_nsae_subjects
    from extracted

)

select * from renamed
