with source as (

    {{ changed_studies() }}

),

annotations as (

    select
        nct_id,
        payload #> '{annotationSection,annotationModule,unpostedAnnotation}' as annotation
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        annotations.nct_id,
        item.position,
        (item.value ->> 'type')::varchar as event,
        (item.value ->> 'date')::varchar as event_date_description,
        item.value ->> 'dateUnknown' as event_date_unknown,
        (annotations.annotation ->> 'unpostedResponsibleParty')::varchar as responsible_party
    from annotations
    cross join lateral {{ json_items("annotations.annotation -> 'unpostedEvents'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'event', 'event_date_description'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the event
        event,
        event_date_description,
        {{ partial_date('event_date_description') }} as event_date,
        {{ as_boolean('event_date_unknown') }} as event_date_unknown,
        responsible_party
    from unnested

)

select * from renamed
