{{ config(indexes=[{'columns': ['nct_id']}, {'columns': ['result_group_id']}]) }}

with source as (

    {{ changed_studies(section='resultsSection') }}

),

{{ module_with_groups('adverseEventsModule', 'Reported Event', list='eventGroups') }},

events as (

    select
        modules.nct_id,
        modules.module ->> 'timeFrame' as time_frame,
        modules.module ->> 'description' as description,
        modules.module ->> 'frequencyThreshold' as frequency_threshold,
        kind.event_type,
        item.position,
        item.value as event
    from modules
    cross join (
        values
        ('serious', 'seriousEvents'),
        ('other', 'otherEvents')
    ) as kind (event_type, list)
    cross join lateral {{ json_items('modules.module -> kind.list') }}
    {{ evaluate_once() }}

),

unnested as (

    select
        events.nct_id,
        events.time_frame,
        events.description,
        events.frequency_threshold,
        events.event_type::varchar as event_type,
        (events.event ->> 'organSystem')::varchar as organ_system,
        (events.event ->> 'term')::varchar as adverse_event_term,
        (events.event ->> 'sourceVocabulary')::varchar as vocab,
        (events.event ->> 'assessmentType')::varchar as assessment,
        events.event ->> 'notes' as notes,
        (item.value ->> 'groupId')::varchar as ctgov_group_code,
        item.value ->> 'numAffected' as subjects_affected,
        item.value ->> 'numAtRisk' as subjects_at_risk,
        item.value ->> 'numEvents' as event_count,
        array[events.position, item.position] as position
    from events
    cross join lateral {{ json_items("events.event -> 'stats'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(
            ['unnested.nct_id', 'unnested.event_type', 'unnested.organ_system', 'unnested.adverse_event_term', 'unnested.ctgov_group_code'],
            position='unnested.position'
        ) }} as id,
        unnested.nct_id::varchar as nct_id,
        groups.result_group_id,
        unnested.ctgov_group_code,

        -- the event
        unnested.event_type,
        unnested.organ_system,
        unnested.adverse_event_term,
        unnested.vocab,
        unnested.assessment,
        unnested.notes,
        null::varchar as default_vocab,
        null::varchar as default_assessment,

        -- how many
        {{ as_integer('unnested.subjects_affected') }} as subjects_affected,
        {{ as_integer('unnested.subjects_at_risk') }} as subjects_at_risk,
        {{ as_integer('unnested.event_count') }} as event_count,

        -- how events were collected, the same for all of a study
        unnested.time_frame,
        unnested.description,
        {{ as_integer('unnested.frequency_threshold') }} as frequency_threshold
    from unnested
    left join groups
        on
            unnested.nct_id = groups.nct_id
            and unnested.ctgov_group_code = groups.ctgov_group_code

)

select * from renamed
