with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{documentSection,largeDocumentModule}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        item.position,
        item.value as document,
        item.value ->> 'filename' as filename,
        item.value ->> 'date' as document_month_year,
        item.value ->> 'uploadDate' as uploaded_at,
        item.value ->> 'size' as size,
        modules.module ->> 'noSap' as no_sap
    from modules
    cross join lateral {{ json_items("modules.module -> 'largeDocs'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'filename'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the document
        (document ->> 'label')::varchar as document_type,
        (document ->> 'typeAbbrev')::varchar as type_abbrev,
        {{ as_boolean("document ->> 'hasProtocol'") }} as has_protocol,
        {{ as_boolean("document ->> 'hasIcf'") }} as has_icf,
        {{ as_boolean("document ->> 'hasSap'") }} as has_sap,
        {{ as_boolean('no_sap') }} as no_sap,

        -- dates
        {{ partial_date('document_month_year') }} as document_date,
        {{ as_timestamp('uploaded_at') }} as uploaded_at,

        -- the file
        (
            'https://ClinicalTrials.gov/ProvidedDocs/' || right(nct_id, 2) || '/' || nct_id || '/' || filename
        )::varchar as url,
        filename::varchar as filename,
        {{ as_bigint('size') }} as size_bytes
    from unnested

)

select * from renamed
