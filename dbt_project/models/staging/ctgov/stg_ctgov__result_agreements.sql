{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

agreements as (

    select
        nct_id,
        payload #> '{resultsSection,moreInfoModule,certainAgreement}' as agreement
    from source
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- the agreement
        {{ as_boolean("agreement ->> 'piSponsorEmployee'") }} as pi_employee,
        null::text as agreement,
        {{ as_boolean("agreement ->> 'restrictiveAgreement'") }} as restrictive_agreement,
        (agreement ->> 'restrictionType')::varchar as restriction_type,
        agreement ->> 'otherDetails' as other_details
    from agreements
    where jsonb_typeof(agreement) = 'object'

)

select * from renamed
