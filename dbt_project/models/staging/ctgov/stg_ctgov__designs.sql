{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,designModule,designInfo}' as module
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- design
        (module ->> 'allocation')::varchar as allocation,
        (module ->> 'interventionModel')::varchar as intervention_model,
        (module ->> 'observationalModel')::varchar as observational_model,
        (module ->> 'primaryPurpose')::varchar as primary_purpose,
        (module ->> 'timePerspective')::varchar as time_perspective,
        module ->> 'interventionModelDescription' as intervention_model_description,

        -- masking: who does not know the allocation
        (module #>> '{maskingInfo,masking}')::varchar as masking,
        module #>> '{maskingInfo,maskingDescription}' as masking_description,
        module #> '{maskingInfo,whoMasked}' ? 'PARTICIPANT' as subject_masked,
        module #> '{maskingInfo,whoMasked}' ? 'CARE_PROVIDER' as caregiver_masked,
        module #> '{maskingInfo,whoMasked}' ? 'INVESTIGATOR' as investigator_masked,
        module #> '{maskingInfo,whoMasked}' ? 'OUTCOMES_ASSESSOR' as outcomes_assessor_masked
    from modules
    where jsonb_typeof(module) = 'object'

)

select * from renamed
