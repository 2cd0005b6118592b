with source as (

    {{ changed_studies(section='resultsSection') }}

),

unnested as (

    select
        source.nct_id,
        source.loaded_at,
        source.payload #>> '{resultsSection,adverseEventsModule,allCauseMortalityComment}' as mortality_comment,
        item.position,
        item.value as event_group,
        (item.value ->> 'id')::varchar as ctgov_group_code
    from source
    cross join lateral {{ json_items("source.payload #> '{resultsSection,adverseEventsModule,eventGroups}'") }}
    {{ evaluate_once() }}

),

totals as (

    select
        unnested.*,
        kind.*
    from unnested
    cross join (
        values
        ('deaths', 'Total, all-cause mortality', 'deathsNumAffected', 'deathsNumAtRisk'),
        ('serious', 'Total, serious adverse events', 'seriousNumAffected', 'seriousNumAtRisk'),
        ('other', 'Total, other adverse events', 'otherNumAffected', 'otherNumAtRisk')
    ) as kind (event_type, classification, affected, at_risk)

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'ctgov_group_code', 'event_type'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the group
        ctgov_group_code,

        -- the event
        event_type::varchar as event_type,
        classification::varchar as classification,

        -- how many
        {{ as_integer('event_group ->> affected') }} as subjects_affected,
        {{ as_integer('event_group ->> at_risk') }} as subjects_at_risk,
        case when event_type = 'deaths' then mortality_comment end as all_cause_mortality_comment,

        -- when it was loaded
        loaded_at at time zone 'utc' as created_at,
        loaded_at at time zone 'utc' as updated_at
    from totals

)

select * from renamed
