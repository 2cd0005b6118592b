with source as (

    {{ changed_studies() }}

),

tracking as (

    select
        nct_id,
        payload #> '{derivedSection,miscInfoModule,submissionTracking}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        tracking.nct_id,
        item.position,
        item.value ->> 'releaseDate' as released,
        item.value ->> 'unreleaseDate' as unreleased,
        item.value ->> 'unreleaseDateUnknown' as unreleased_date_unknown,
        item.value ->> 'resetDate' as reset,
        item.value ->> 'mcpReleaseN' as mcp_release_number
    from tracking
    cross join lateral {{ json_items("tracking.module -> 'submissionInfos'") }}
    {{ evaluate_once() }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'position']) }} as id,
        nct_id::varchar as nct_id,
        position::integer as submission_number,

        -- what happened to the submission
        {{ partial_date('released') }} as released_date,
        {{ partial_date('unreleased') }} as unreleased_date,
        {{ as_boolean('unreleased_date_unknown') }} as unreleased_date_unknown,
        {{ partial_date('reset') }} as reset_date,
        {{ as_integer('mcp_release_number') }} as mcp_release_number
    from unnested

)

select * from renamed
