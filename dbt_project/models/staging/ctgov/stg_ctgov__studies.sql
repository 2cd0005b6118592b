{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

-- texts that are parsed and lists that are counted, which the next step uses more than once
extracted as (

    select
        source.*,
        payload #>> '{protocolSection,statusModule,studyFirstSubmitDate}' as study_first_submitted,
        payload #>> '{protocolSection,statusModule,studyFirstSubmitQcDate}' as study_first_submitted_qc,
        payload #>> '{protocolSection,statusModule,studyFirstPostDateStruct,date}' as study_first_posted,
        payload #>> '{protocolSection,statusModule,resultsFirstSubmitDate}' as results_first_submitted,
        payload #>> '{protocolSection,statusModule,resultsFirstSubmitQcDate}' as results_first_submitted_qc,
        payload #>> '{protocolSection,statusModule,resultsFirstPostDateStruct,date}' as results_first_posted,
        payload #>> '{protocolSection,statusModule,dispFirstSubmitDate}' as disposition_first_submitted,
        payload #>> '{protocolSection,statusModule,dispFirstSubmitQcDate}' as disposition_first_submitted_qc,
        payload #>> '{protocolSection,statusModule,dispFirstPostDateStruct,date}' as disposition_first_posted,
        payload #>> '{protocolSection,statusModule,lastUpdateSubmitDate}' as last_update_submitted,
        payload #>> '{protocolSection,statusModule,lastUpdatePostDateStruct,date}' as last_update_posted,
        payload #>> '{protocolSection,statusModule,statusVerifiedDate}' as verification,
        payload #>> '{protocolSection,statusModule,startDateStruct,date}' as start,
        payload #>> '{protocolSection,statusModule,primaryCompletionDateStruct,date}' as primary_completion,
        payload #>> '{protocolSection,statusModule,completionDateStruct,date}' as completion,
        {{ json_length("payload #> '{protocolSection,armsInterventionsModule,armGroups}'") }} as number_of_arms_or_groups,
        coalesce(payload #>> '{protocolSection,designModule,studyType}' ~* 'interventional', false) as is_interventional
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        nct_id::varchar as nct_id,

        -- titles
        payload #>> '{protocolSection,identificationModule,briefTitle}' as brief_title,
        payload #>> '{protocolSection,identificationModule,officialTitle}' as official_title,
        (payload #>> '{protocolSection,identificationModule,acronym}')::varchar as acronym,

        -- who is responsible
        (payload #>> '{protocolSection,identificationModule,organization,fullName}')::varchar as source,
        (payload #>> '{protocolSection,identificationModule,organization,class}')::varchar as source_class,

        -- status
        (payload #>> '{protocolSection,statusModule,overallStatus}')::varchar as overall_status,
        (payload #>> '{protocolSection,statusModule,lastKnownStatus}')::varchar as last_known_status,
        (payload #>> '{protocolSection,statusModule,whyStopped}')::varchar as why_stopped,
        {{ as_boolean("payload #>> '{protocolSection,statusModule,delayedPosting}'") }} as delayed_posting,

        -- kind and size
        (payload #>> '{protocolSection,designModule,studyType}')::varchar as study_type,
        nullif(
            array_to_string(
                array(select jsonb_path_query(payload, '$.protocolSection.designModule.phases[*]') #>> '{}'), '/'
            ),
            ''
        )::varchar as phase,
        {{ as_integer("payload #>> '{protocolSection,designModule,enrollmentInfo,count}'") }} as enrollment,
        (payload #>> '{protocolSection,designModule,enrollmentInfo,type}')::varchar as enrollment_type,
        case when is_interventional then number_of_arms_or_groups end as number_of_arms,
        case when not is_interventional then number_of_arms_or_groups end as number_of_groups,
        (payload #>> '{protocolSection,designModule,targetDuration}')::varchar as target_duration,
        {{ as_boolean("payload #>> '{protocolSection,designModule,patientRegistry}'") }} as patient_registry,
        (payload #>> '{protocolSection,designModule,bioSpec,retention}')::varchar as biospec_retention,
        payload #>> '{protocolSection,designModule,bioSpec,description}' as biospec_description,

        -- what happened when: as text where the registry's date may be partial
        start::varchar as start_month_year,
        {{ partial_date('start') }} as start_date,
        (payload #>> '{protocolSection,statusModule,startDateStruct,type}')::varchar as start_date_type,
        primary_completion::varchar as primary_completion_month_year,
        {{ partial_date('primary_completion') }} as primary_completion_date,
        (payload #>> '{protocolSection,statusModule,primaryCompletionDateStruct,type}')::varchar as primary_completion_date_type,
        completion::varchar as completion_month_year,
        {{ partial_date('completion') }} as completion_date,
        (payload #>> '{protocolSection,statusModule,completionDateStruct,type}')::varchar as completion_date_type,
        verification::varchar as verification_month_year,
        {{ partial_date('verification') }} as verification_date,

        -- registration and its updates
        {{ partial_date('study_first_submitted') }} as study_first_submitted_date,
        {{ partial_date('study_first_submitted_qc') }} as study_first_submitted_qc_date,
        {{ partial_date('study_first_posted') }} as study_first_posted_date,
        (payload #>> '{protocolSection,statusModule,studyFirstPostDateStruct,type}')::varchar as study_first_posted_date_type,
        {{ partial_date('results_first_submitted') }} as results_first_submitted_date,
        {{ partial_date('results_first_submitted_qc') }} as results_first_submitted_qc_date,
        {{ partial_date('results_first_posted') }} as results_first_posted_date,
        (payload #>> '{protocolSection,statusModule,resultsFirstPostDateStruct,type}')::varchar as results_first_posted_date_type,
        {{ partial_date('disposition_first_submitted') }} as disposition_first_submitted_date,
        {{ partial_date('disposition_first_submitted_qc') }} as disposition_first_submitted_qc_date,
        {{ partial_date('disposition_first_posted') }} as disposition_first_posted_date,
        (payload #>> '{protocolSection,statusModule,dispFirstPostDateStruct,type}')::varchar as disposition_first_posted_date_type,
        {{ partial_date('last_update_submitted') }} as last_update_submitted_date,
        {{ partial_date('last_update_submitted') }} as last_update_submitted_qc_date,
        {{ partial_date('last_update_posted') }} as last_update_posted_date,
        (payload #>> '{protocolSection,statusModule,lastUpdatePostDateStruct,type}')::varchar as last_update_posted_date_type,
        null::varchar as nlm_download_date_description,

        -- results
        {{ as_boolean("payload #>> '{hasResults}'") }} as has_results,
        payload #>> '{resultsSection,baselineCharacteristicsModule,populationDescription}' as baseline_population,
        (payload #>> '{resultsSection,baselineCharacteristicsModule,typeUnitsAnalyzed}')::varchar as baseline_type_units_analyzed,
        (payload #>> '{resultsSection,moreInfoModule,limitationsAndCaveats,description}')::varchar as limitations_and_caveats,

        -- expanded access
        {{ as_boolean("payload #>> '{protocolSection,statusModule,expandedAccessInfo,hasExpandedAccess}'") }} as has_expanded_access,
        (payload #>> '{protocolSection,statusModule,expandedAccessInfo,nctId}')::varchar as expanded_access_nctid,
        (payload #>> '{protocolSection,statusModule,expandedAccessInfo,statusForNctId}')::varchar as expanded_access_status_for_nctid,
        {{ as_boolean("payload #>> '{protocolSection,designModule,expandedAccessTypes,individual}'") }} as expanded_access_type_individual,
        {{ as_boolean("payload #>> '{protocolSection,designModule,expandedAccessTypes,intermediate}'") }} as expanded_access_type_intermediate,
        {{ as_boolean("payload #>> '{protocolSection,designModule,expandedAccessTypes,treatment}'") }} as expanded_access_type_treatment,

        -- oversight
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,oversightHasDmc}'") }} as has_dmc,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,isFdaRegulatedDrug}'") }} as is_fda_regulated_drug,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,isFdaRegulatedDevice}'") }} as is_fda_regulated_device,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,isUnapprovedDevice}'") }} as is_unapproved_device,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,isPpsd}'") }} as is_ppsd,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,isUsExport}'") }} as is_us_export,
        {{ as_boolean("payload #>> '{protocolSection,oversightModule,fdaaa801Violation}'") }} as fdaaa801_violation,

        -- sharing of individual participant data
        (payload #>> '{protocolSection,ipdSharingStatementModule,ipdSharing}')::varchar as plan_to_share_ipd,
        (payload #>> '{protocolSection,ipdSharingStatementModule,description}')::varchar as plan_to_share_ipd_description,
        (payload #>> '{protocolSection,ipdSharingStatementModule,timeFrame}')::varchar as ipd_time_frame,
        (payload #>> '{protocolSection,ipdSharingStatementModule,accessCriteria}')::varchar as ipd_access_criteria,
        (payload #>> '{protocolSection,ipdSharingStatementModule,url}')::varchar as ipd_url,

        -- our load
        (loaded_at at time zone 'UTC')::timestamp as created_at,
        (loaded_at at time zone 'UTC')::timestamp as updated_at,
        deleted_at
    from extracted

)

select * from renamed
