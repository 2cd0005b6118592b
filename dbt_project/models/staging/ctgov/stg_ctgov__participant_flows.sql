{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

modules as (

    select
        nct_id,
        payload #> '{resultsSection,participantFlowModule}' as module
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- recruitment
        module ->> 'recruitmentDetails' as recruitment_details,
        module ->> 'preAssignmentDetails' as pre_assignment_details,
        (module ->> 'typeUnitsAnalyzed')::varchar as units_analyzed
    from modules
    where jsonb_typeof(module) = 'object'

)

select * from renamed
