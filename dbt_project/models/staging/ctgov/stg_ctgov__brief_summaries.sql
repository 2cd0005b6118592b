{{ config(indexes=[{'columns': ['nct_id'], 'unique': true}]) }}

with source as (

    {{ changed_studies() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id']) }} as id,
        nct_id::varchar as nct_id,

        -- text
        payload #>> '{protocolSection,descriptionModule,briefSummary}' as description
    from source

)

select * from renamed
where description is not null
