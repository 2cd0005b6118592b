{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ claim_new_versions('changed_at') }}",
        post_hook="{{ analyze_after_full_build() }}",
        indexes=[{'columns': ['changed_at']}, {'columns': ['nct_id']}]
    )
}}

with later as (

    select * from {{ ref('dim_trial_versions') }}
    {%- if is_incremental() %}
        where {{ is_in_claimed_window('valid_from') }}
    {%- endif %}

),

-- every field of every new version, beside what it was before
compared as (

    select
        later.nct_id,
        later.version,
        later.registry_date,
        later.valid_from as changed_at,
        later.found_by,
        field.name as field,
        field.old_value,
        field.new_value,
        field.difference,
        case
            when field.name <> 'record' then 'changed'
            when earlier.nct_id is null then 'appeared'
            when later.deleted_at is null then 'returned'
            else 'vanished'
        end as change_type
    from later
    left join {{ ref('dim_trial_versions') }} as earlier
        on later.nct_id = earlier.nct_id and later.valid_from = earlier.valid_to
    cross join lateral {{ compared_fields('earlier', 'later') }} as field (name, old_value, new_value, difference)
    where
        not later.is_baseline
        and case
            when field.name = 'record'
                then (earlier.nct_id is not null and earlier.deleted_at is null) <> (later.deleted_at is null)
            else earlier.nct_id is not null and field.old_value is distinct from field.new_value
        end

)

select
    -- which change
    {{ surrogate_id(['nct_id', 'version', 'field']) }} as change_id,
    nct_id,
    version,
    field,
    change_type,

    -- from what to what
    old_value,
    new_value,
    difference,

    -- when, and how it was found
    registry_date,
    changed_at,
    found_by
from compared
