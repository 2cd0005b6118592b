{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,eligibilityModule}' as module,
        payload #> '{derivedSection,miscInfoModule,modelPredictions,bmiLimits}' as bmi_limits
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- who may take part
        (module ->> 'sex')::varchar as gender,
        {{ as_boolean("module ->> 'genderBased'") }} as gender_based,
        module ->> 'genderDescription' as gender_description,
        {{ as_boolean("module ->> 'healthyVolunteers'") }} as healthy_volunteers,
        module ->> 'eligibilityCriteria' as criteria,

        -- age
        (module ->> 'minimumAge')::varchar as minimum_age,
        (module ->> 'maximumAge')::varchar as maximum_age,
        module -> 'stdAges' ? 'ADULT' as adult,
        module -> 'stdAges' ? 'CHILD' as child,
        module -> 'stdAges' ? 'OLDER_ADULT' as older_adult,

        -- how an observational study draws its sample
        (module ->> 'samplingMethod')::varchar as sampling_method,
        module ->> 'studyPopulation' as population,

        -- what the registry read out of the criteria
        {{ as_numeric("bmi_limits ->> 'minBmi'") }} as predicted_minimum_bmi,
        {{ as_numeric("bmi_limits ->> 'maxBmi'") }} as predicted_maximum_bmi
    from modules
    where jsonb_typeof(module) = 'object'

)

select * from renamed
