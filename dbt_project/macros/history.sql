{#
    The history of trials: `analytics.dim_trial_versions` and what is read from it.

    The same bookkeeping as in incremental_by_study.sql, one step further down. Plain dbt may run while a load commits,
    and then one staged table is a load ahead of another: the window ends at the time up to which all `tables` of ctgov
    are complete. What lies beyond is left to the next run, when the others have caught up.
#}
{% macro claim_staged_studies(tables) %}
    {%- set names = [] -%}
    {%- for table in tables -%}
        {%- set relation = ref('stg_ctgov__' ~ table) -%}
        {%- do names.append("'" ~ relation.schema ~ "." ~ relation.identifier ~ "'") -%}
    {%- endfor -%}
    {{ claim_window("select min(loaded_until) from " ~ watermarks() ~ " where relation in (" ~ names | join(", ") ~ ")") }}
{%- endmacro %}


{# post-hook: a version ends where the next one of its study begins. In the transaction that wrote the next one. #}
{% macro end_replaced_versions() %}
    {%- if is_incremental() %}
    update {{ this }} as earlier
    set valid_to = later.valid_from, is_current = false
    from {{ this }} as later
    where
        {{ is_in_claimed_window('later.valid_from') }}
        and later.nct_id = earlier.nct_id
        and later.valid_from > earlier.valid_from
        and earlier.is_current
    {%- endif %}
{%- endmacro %}


{# pre-hook of models that append what the versions of the claimed window tell; what they hold of it goes first. #}
{% macro claim_new_versions(time) %}
    {{ claim_window("select max(valid_from) from " ~ ref('dim_trial_versions')) }};
    {%- if is_incremental() %}

    delete from {{ this }} where {{ is_in_claimed_window(time) }};
    {%- endif %}
{% endmacro %}


{#
    What people watch in a trial, by kind, as a text to be split: columns of dim_trial_versions and fields of
    fct_trial_changes. A date is compared in the sponsor's words, `<date>_month_year`.
#}
{% macro watched_fields(kind) -%}
    {%- if kind == 'dates' -%}
        start primary_completion completion
    {%- elif kind == 'numbers' -%}
        enrollment site_count
    {%- else -%}
        brief_title official_title overall_status why_stopped has_results phase enrollment_type start_date_type
        primary_completion_date_type completion_date_type lead_sponsor collaborators primary_outcomes arms
    {%- endif -%}
{%- endmacro %}


{# Whether two rows with the columns of dim_trial_versions differ in anything that is watched. #}
{% macro is_another_version(before, after) -%}
    (
        ({{ before }}.deleted_at is null) <> ({{ after }}.deleted_at is null)
        {%- for field in watched_fields('texts').split() + watched_fields('numbers').split() %}
        or {{ before }}.{{ field }} is distinct from {{ after }}.{{ field }}
        {%- endfor %}
        {%- for date in watched_fields('dates').split() %}
        or {{ before }}.{{ date }}_month_year is distinct from {{ after }}.{{ date }}_month_year
        {%- endfor %}
    )
{%- endmacro %}


{#
    Every watched field of two versions side by side, as (name, old value, new value, difference); goes after
    `cross join lateral`. The field `record` is the trial as such, with its status where the registry shows it.
#}
{% macro compared_fields(before, after) -%}
    (
        values
        (
            'record',
            case when {{ before }}.deleted_at is null then {{ before }}.overall_status end,
            case when {{ after }}.deleted_at is null then {{ after }}.overall_status end,
            null::integer
        )
        {%- for field in watched_fields('texts').split() %},
        ('{{ field }}', {{ before }}.{{ field }}::text, {{ after }}.{{ field }}::text, null)
        {%- endfor %}
        {%- for date in watched_fields('dates').split() %},
        (
            '{{ date }}_date',
            {{ before }}.{{ date }}_month_year,
            {{ after }}.{{ date }}_month_year,
            {{ days_moved(date, before, after) }}
        )
        {%- endfor %}
        {%- for field in watched_fields('numbers').split() %},
        (
            '{{ field }}',
            {{ before }}.{{ field }}::text,
            {{ after }}.{{ field }}::text,
            {{ after }}.{{ field }} - {{ before }}.{{ field }}
        )
        {%- endfor %}
    )
{%- endmacro %}


{#
    Days by which a date moved, `before` and `after` being two rows of dim_trial_versions. That a sponsor gives more
    or less of the same date (2026-03, then 2026-03-15) is no move: only AACT's rule makes the former 31 March.
#}
{% macro days_moved(name, before, after) -%}
    {%- set earlier = before ~ "." ~ name ~ "_month_year" -%}
    {%- set later = after ~ "." ~ name ~ "_month_year" -%}
    case
        when starts_with({{ earlier }}, {{ later }}) or starts_with({{ later }}, {{ earlier }}) then 0
        else {{ after }}.{{ name }}_date - {{ before }}.{{ name }}_date
    end
{%- endmacro %}


{# A phase as a number that rises from one to the next; NULL where phases do not apply. #}
{% macro phase_rank(phase) -%}
    case {{ phase }}
        when 'EARLY_PHASE1' then 1
        when 'PHASE1' then 2
        when 'PHASE1/PHASE2' then 3
        when 'PHASE2' then 4
        when 'PHASE2/PHASE3' then 5
        when 'PHASE3' then 6
        when 'PHASE4' then 7
    end
{%- endmacro %}


{#
    What a change, a row of fct_trial_changes called `change`, means for its sponsor; NULL for what is no move. A trial
    starts when it first takes people in, stops when it is terminated, withdrawn or suspended, is delayed when its
    primary completion moves back by more than 30 days.
#}
{% macro sponsor_move(change) -%}
    case
        when {{ change }}.change_type = 'vanished' then 'vanished'
        when {{ change }}.field = 'overall_status' then
            case
                when {{ change }}.new_value in ('TERMINATED', 'WITHDRAWN', 'SUSPENDED') then 'stopped'
                when {{ change }}.new_value = 'COMPLETED' then 'completed'
                when
                    {{ change }}.old_value = 'NOT_YET_RECRUITING'
                    and {{ change }}.new_value in ('RECRUITING', 'ENROLLING_BY_INVITATION', 'ACTIVE_NOT_RECRUITING')
                    then 'started'
            end
        when {{ change }}.field = 'has_results' and {{ change }}.new_value = 'true' then 'results_posted'
        when
            {{ change }}.field = 'phase'
            and {{ phase_rank(change ~ ".new_value") }} > {{ phase_rank(change ~ ".old_value") }}
            then 'phase_advanced'
        when {{ change }}.field = 'primary_completion_date' and {{ change }}.difference > 30 then 'delayed'
    end
{%- endmacro %}
