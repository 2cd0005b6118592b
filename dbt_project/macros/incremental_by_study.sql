{#
    Incremental models whose unit of change is a study.

    `raw_ctgov.studies.loaded_at` rises for exactly the studies that a load added or changed. For
    each model one row of `intermediate.staging_watermarks` holds the window of load times that its
    last run covered. A run does, in one transaction:

      1. claim_changed_studies (pre-hook): move the window from the old watermark to the newest load,
         and delete what the model holds of the studies in it;
      2. changed_studies (the model's `source`): read just these studies, append what they hold now.

    So a study that loses its last condition loses its row, a run that was killed leaves nothing
    behind, and running again changes nothing. The window's upper end is fixed before anything is
    read, so a load that commits meanwhile is left to the next run. The claimed row stays locked
    until the commit: two dbt runs at once take turns. `--full-refresh` begins anew.
#}
{% macro watermarks() -%} {{ generate_schema_name('intermediate') }}.staging_watermarks {%- endmacro %}


{#
    on-run-start: the table must be there before the first model's pre-hook. The schema is looked for first, since
    `create schema if not exists` wants the right to create one even where it exists.
#}
{% macro create_watermarks() %}
    {%- set schema = generate_schema_name('intermediate') %}
    {%- if execute and not adapter.check_schema_exists(target.database, schema) %}
    create schema if not exists {{ schema }};
    {%- endif %}
    create table if not exists {{ watermarks() }} (
        relation text primary key,
        loaded_after timestamptz not null,
        loaded_until timestamptz not null
    );
{% endmacro %}


{# pre-hook. The sources in it are the same as the model's own, so the graph is as the model says. #}
{% macro claim_changed_studies() %}
    {{ claim_window("select max(loaded_at) from " ~ source('raw_ctgov', 'studies')) }};
    {%- if is_incremental() %}

    delete from {{ this }}
    where nct_id in (
        select nct_id from {{ source('raw_ctgov', 'studies') }} where {{ is_in_claimed_window() }}
    );
    {%- endif %}
{% endmacro %}


{# Moves the model's window from where it ended to `newest`, a query for one time; all of time on a full build. #}
{% macro claim_window(newest) %}
    insert into {{ watermarks() }} as watermark (relation, loaded_after, loaded_until)
    values ('{{ this.schema }}.{{ this.identifier }}', '-infinity', coalesce(({{ newest }}), '-infinity'))
    on conflict (relation) do update set
    {%- if is_incremental() %}
        loaded_after = watermark.loaded_until,
        loaded_until = greatest(watermark.loaded_until, excluded.loaded_until)
    {%- else %}
        loaded_after = excluded.loaded_after,
        loaded_until = excluded.loaded_until
    {%- endif %}
{%- endmacro %}


{% macro is_in_claimed_window(time='loaded_at') -%}
    {%- set claimed = watermarks() ~ " where relation = '" ~ this.schema ~ "." ~ this.identifier ~ "'" -%}
    {{ time }} > (select loaded_after from {{ claimed }})
    and {{ time }} <= (select loaded_until from {{ claimed }})
{%- endmacro %}


{#
    The studies that a model has to read: all on a full build, else those in the claimed window.

    `payload || '{}'` is the whole document, decompressed; `offset 0` keeps Postgres from pasting
    that expression into each place that uses it. Without the two, every path that a model reads
    decompresses the document again: 13 s instead of 0.3 s for the 73 columns of 5,378 `studies`.

    `section`: only studies whose record has it; one in seven has results.
#}
{% macro changed_studies(section=none) -%}
    select
        nct_id,
        loaded_at,
        deleted_at,
        payload || '{}' as payload
    from {{ source('raw_ctgov', 'studies') }}
    {%- set conditions = [] %}
    {%- if section %}{% do conditions.append("payload ? '" ~ section ~ "'") %}{% endif %}
    {%- if is_incremental() %}{% do conditions.append(is_in_claimed_window()) %}{% endif %}
    {%- if conditions %}
    where
        {{ conditions | join(' and ') }}
    {%- endif %}
    {{ evaluate_once() }}
{%- endmacro %}


{# Closes a query whose columns are used more than once in the next: a fence for Postgres' planner. #}
{% macro evaluate_once() -%} offset 0 {%- endmacro %}


{# post-hook: a table that was just filled has no statistics, and what reads it next would be planned blindly. #}
{% macro analyze_after_full_build() %}
    {%- if not is_incremental() %} analyze {{ this }} {%- endif -%}
{% endmacro %}
