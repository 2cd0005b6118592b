with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{protocolSection,outcomesModule}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.outcome_type::varchar as outcome_type,
        item.position,
        item.value ->> 'measure' as measure,
        item.value ->> 'timeFrame' as time_frame,
        item.value ->> 'description' as description
    from modules
    cross join (
        values
        ('primary', 'primaryOutcomes'),
        ('secondary', 'secondaryOutcomes'),
        ('other', 'otherOutcomes')
    ) as kind (outcome_type, list)
    cross join lateral {{ json_items('modules.module -> kind.list') }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'outcome_type', 'measure', 'time_frame'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the outcome to be measured
        outcome_type,
        measure,
        time_frame,
        null::varchar as population,
        description
    from unnested

)

select * from renamed
