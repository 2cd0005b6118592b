with source as (

    {{ changed_studies() }}

),

annotations as (

    select
        nct_id,
        payload #> '{annotationSection,annotationModule,violationAnnotation}' as annotation
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        annotations.nct_id,
        item.position,
        item.value ->> 'type' as event_type,
        item.value ->> 'description' as description,
        item.value ->> 'creationDate' as created,
        item.value ->> 'issuedDate' as issued,
        item.value ->> 'releaseDate' as released,
        item.value ->> 'postedDate' as posted
    from annotations
    cross join lateral {{ json_items("annotations.annotation -> 'violationEvents'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'event_type', 'created'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the event
        event_type::varchar as event_type,
        description,

        -- dates
        {{ partial_date('created') }} as created_date,
        {{ partial_date('issued') }} as issued_date,
        {{ partial_date('released') }} as released_date,
        {{ partial_date('posted') }} as posted_date
    from unnested

)

select * from renamed
