{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        loaded_at,
        deleted_at,
        payload #> '{protocolSection,identificationModule}' as identification_module,
        payload #> '{protocolSection,statusModule}' as status_module,
        payload #> '{protocolSection,oversightModule}' as oversight_module,
        payload #> '{protocolSection,designModule}' as design_module,
        payload #> '{protocolSection,ipdSharingStatementModule}' as ipd_sharing_module,
        payload #> '{resultsSection,baselineCharacteristicsModule}' as baseline_module,
        payload #> '{resultsSection,moreInfoModule}' as more_info_module,
        payload #> '{protocolSection,armsInterventionsModule,armGroups}' as arm_groups,
        payload #> '{derivedSection,miscInfoModule,submissionTracking}' as submission_tracking,
        payload #>> '{derivedSection,miscInfoModule,versionHolder}' as version_holder,
        payload ->> 'hasResults' as has_results
    from source
    {{ evaluate_once() }}

),

-- texts that are parsed and lists that are counted, which the next step uses more than once
extracted as (

    select
        *,
        status_module ->> 'studyFirstSubmitDate' as study_first_submitted,
        status_module ->> 'studyFirstSubmitQcDate' as study_first_submitted_qc,
        status_module #>> '{studyFirstPostDateStruct,date}' as study_first_posted,
        status_module ->> 'resultsFirstSubmitDate' as results_first_submitted,
        status_module ->> 'resultsFirstSubmitQcDate' as results_first_submitted_qc,
        status_module #>> '{resultsFirstPostDateStruct,date}' as results_first_posted,
        status_module ->> 'dispFirstSubmitDate' as disposition_first_submitted,
        status_module ->> 'dispFirstSubmitQcDate' as disposition_first_submitted_qc,
        status_module #>> '{dispFirstPostDateStruct,date}' as disposition_first_posted,
        status_module ->> 'lastUpdateSubmitDate' as last_update_submitted,
        status_module #>> '{lastUpdatePostDateStruct,date}' as last_update_posted,
        status_module ->> 'statusVerifiedDate' as verification,
        submission_tracking ->> 'estimatedResultsFirstSubmitDate' as estimated_results_first_submitted,
        submission_tracking #>> '{firstMcpInfo,postDateStruct,date}' as first_mcp_posted,
        status_module #>> '{startDateStruct,date}' as start,
        status_module #>> '{primaryCompletionDateStruct,date}' as primary_completion,
        status_module #>> '{completionDateStruct,date}' as completion,
        array(select jsonb_path_query(design_module, '$.phases[*]') #>> '{}') as phases,
        {{ json_length('arm_groups') }} as number_of_arms_or_groups,
        coalesce(design_module ->> 'studyType' ~* 'interventional', false) as is_interventional
    from modules
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        nct_id::varchar as nct_id,

        -- titles
        identification_module ->> 'briefTitle' as brief_title,
        identification_module ->> 'officialTitle' as official_title,
        (identification_module ->> 'acronym')::varchar as acronym,

        -- who is responsible
        (identification_module #>> '{organization,fullName}')::varchar as source,
        (identification_module #>> '{organization,class}')::varchar as source_class,

        -- status
        (status_module ->> 'overallStatus')::varchar as overall_status,
        (status_module ->> 'lastKnownStatus')::varchar as last_known_status,
        (status_module ->> 'whyStopped')::varchar as why_stopped,
        {{ as_boolean("status_module ->> 'delayedPosting'") }} as delayed_posting,

        -- kind and size
        (design_module ->> 'studyType')::varchar as study_type,
        nullif(array_to_string(phases, '/'), '')::varchar as phase,
        {{ as_integer("design_module #>> '{enrollmentInfo,count}'") }} as enrollment,
        (design_module #>> '{enrollmentInfo,type}')::varchar as enrollment_type,
        case when is_interventional then number_of_arms_or_groups end as number_of_arms,
        case when not is_interventional then number_of_arms_or_groups end as number_of_groups,
        (design_module ->> 'targetDuration')::varchar as target_duration,
        {{ as_boolean("design_module ->> 'patientRegistry'") }} as patient_registry,
        (design_module #>> '{bioSpec,retention}')::varchar as biospec_retention,
        design_module #>> '{bioSpec,description}' as biospec_description,

        -- what happened when: as text where the registry's date may be partial
        start::varchar as start_month_year,
        {{ partial_date('start') }} as start_date,
        (status_module #>> '{startDateStruct,type}')::varchar as start_date_type,
        primary_completion::varchar as primary_completion_month_year,
        {{ partial_date('primary_completion') }} as primary_completion_date,
        (status_module #>> '{primaryCompletionDateStruct,type}')::varchar as primary_completion_date_type,
        completion::varchar as completion_month_year,
        {{ partial_date('completion') }} as completion_date,
        (status_module #>> '{completionDateStruct,type}')::varchar as completion_date_type,
        verification::varchar as verification_month_year,
        {{ partial_date('verification') }} as verification_date,

        -- registration and its updates
        {{ partial_date('study_first_submitted') }} as study_first_submitted_date,
        {{ partial_date('study_first_submitted_qc') }} as study_first_submitted_qc_date,
        {{ partial_date('study_first_posted') }} as study_first_posted_date,
        (status_module #>> '{studyFirstPostDateStruct,type}')::varchar as study_first_posted_date_type,
        {{ partial_date('results_first_submitted') }} as results_first_submitted_date,
        {{ partial_date('results_first_submitted_qc') }} as results_first_submitted_qc_date,
        {{ partial_date('results_first_posted') }} as results_first_posted_date,
        (status_module #>> '{resultsFirstPostDateStruct,type}')::varchar as results_first_posted_date_type,
        {{ partial_date('disposition_first_submitted') }} as disposition_first_submitted_date,
        {{ partial_date('disposition_first_submitted_qc') }} as disposition_first_submitted_qc_date,
        {{ partial_date('disposition_first_posted') }} as disposition_first_posted_date,
        (status_module #>> '{dispFirstPostDateStruct,type}')::varchar as disposition_first_posted_date_type,
        {{ partial_date('last_update_submitted') }} as last_update_submitted_date,
        {{ partial_date('last_update_submitted') }} as last_update_submitted_qc_date,
        {{ partial_date('last_update_posted') }} as last_update_posted_date,
        (status_module #>> '{lastUpdatePostDateStruct,type}')::varchar as last_update_posted_date_type,
        null::varchar as nlm_download_date_description,

        -- results
        {{ as_boolean('has_results') }} as has_results,
        {{ as_boolean("status_module ->> 'resultsWaived'") }} as results_waived,
        {{ partial_date('estimated_results_first_submitted') }} as estimated_results_first_submitted_date,
        {{ partial_date('first_mcp_posted') }} as first_mcp_posted_date,
        (submission_tracking #>> '{firstMcpInfo,postDateStruct,type}')::varchar as first_mcp_posted_date_type,
        baseline_module ->> 'populationDescription' as baseline_population,
        (baseline_module ->> 'typeUnitsAnalyzed')::varchar as baseline_type_units_analyzed,
        (more_info_module #>> '{limitationsAndCaveats,description}')::varchar as limitations_and_caveats,

        -- expanded access
        {{ as_boolean("status_module #>> '{expandedAccessInfo,hasExpandedAccess}'") }} as has_expanded_access,
        (status_module #>> '{expandedAccessInfo,nctId}')::varchar as expanded_access_nctid,
        (status_module #>> '{expandedAccessInfo,statusForNctId}')::varchar as expanded_access_status_for_nctid,
        {{ as_boolean("design_module #>> '{expandedAccessTypes,individual}'") }} as expanded_access_type_individual,
        {{ as_boolean("design_module #>> '{expandedAccessTypes,intermediate}'") }} as expanded_access_type_intermediate,
        {{ as_boolean("design_module #>> '{expandedAccessTypes,treatment}'") }} as expanded_access_type_treatment,
        {{ as_integer("design_module ->> 'nPtrsToThisExpAccNctId'") }} as expanded_access_references,

        -- oversight
        {{ as_boolean("oversight_module ->> 'oversightHasDmc'") }} as has_dmc,
        {{ as_boolean("oversight_module ->> 'isFdaRegulatedDrug'") }} as is_fda_regulated_drug,
        {{ as_boolean("oversight_module ->> 'isFdaRegulatedDevice'") }} as is_fda_regulated_device,
        {{ as_boolean("oversight_module ->> 'isUnapprovedDevice'") }} as is_unapproved_device,
        {{ as_boolean("oversight_module ->> 'isPpsd'") }} as is_ppsd,
        {{ as_boolean("oversight_module ->> 'isUsExport'") }} as is_us_export,
        {{ as_boolean("oversight_module ->> 'fdaaa801Violation'") }} as fdaaa801_violation,

        -- sharing of individual participant data
        (ipd_sharing_module ->> 'ipdSharing')::varchar as plan_to_share_ipd,
        (ipd_sharing_module ->> 'description')::varchar as plan_to_share_ipd_description,
        (ipd_sharing_module ->> 'timeFrame')::varchar as ipd_time_frame,
        (ipd_sharing_module ->> 'accessCriteria')::varchar as ipd_access_criteria,
        (ipd_sharing_module ->> 'url')::varchar as ipd_url,

        -- the registry's state, and our load
        {{ partial_date('version_holder') }} as version_holder_date,
        (loaded_at at time zone 'UTC')::timestamp as created_at,
        (loaded_at at time zone 'UTC')::timestamp as updated_at,
        deleted_at
    from extracted

)

select * from renamed
