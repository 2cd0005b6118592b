{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['reference_id']}]) }}

with source as (

    {{ changed_studies() }}

),

study_references as (

    select
        source.nct_id,
        item.position,
        item.value ->> 'pmid' as pmid,
        item.value ->> 'type' as reference_type,
        item.value ->> 'citation' as citation,
        item.value -> 'retractions' as retractions
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,referencesModule,references}'") }}

),

-- the same key as in stg_ctgov__study_references
identified_references as (

    select
        {{ surrogate_id(['nct_id', 'reference_type', 'pmid', 'citation'], position='position') }} as reference_id,
        nct_id,
        retractions
    from study_references

),

unnested as (

    select
        identified_references.nct_id,
        identified_references.reference_id,
        item.position,
        (item.value ->> 'pmid')::varchar as pmid,
        (item.value ->> 'source')::varchar as source
    from identified_references
    cross join lateral {{ json_items('identified_references.retractions') }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'reference_id', 'pmid', 'source'], position='position') }} as id,
        nct_id::varchar as nct_id,
        reference_id,

        -- the retraction
        pmid,
        source
    from unnested

)

select * from renamed
