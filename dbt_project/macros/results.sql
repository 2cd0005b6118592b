{#
    Parts that several tables of the results section share. Groups, outcomes and analyses have no id
    of their own in the registry, so each table makes the same key from the same values.
#}

{# The key of a group: its code within a part of the record, and for outcomes within one outcome. #}
{% macro result_group_id(result_type, code, outcome_id='null', nct_id='nct_id') -%}
    {{ surrogate_id([nct_id, result_type, outcome_id, code]) }}
{%- endmacro %}


{# CTEs that end in `outcomes (outcome_id, nct_id, outcome)`: the outcome measures of `source` as JSON. #}
{% macro identified_outcomes() -%}
outcome_measures as (

    select
        source.nct_id,
        item.position,
        item.value as outcome,
        item.value ->> 'type' as outcome_type,
        item.value ->> 'title' as title,
        item.value ->> 'timeFrame' as time_frame
    from source
    cross join lateral {{ json_items("source.payload #> '{resultsSection,outcomeMeasuresModule,outcomeMeasures}'") }}
    {{ evaluate_once() }}

),

outcomes as (

    select
        {{ surrogate_id(['nct_id', 'outcome_type', 'title', 'time_frame'], position='position') }} as outcome_id,
        nct_id,
        outcome
    from outcome_measures
    {{ evaluate_once() }}

)
{%- endmacro %}


{# CTE `groups (outcome_id, ctgov_group_code, result_group_id)`: the groups of `outcomes`. #}
{% macro groups_of_outcomes() -%}
groups as (

    select distinct
        outcomes.outcome_id,
        item.value ->> 'id' as ctgov_group_code,
        {{ result_group_id("'Outcome'", "(item.value ->> 'id')", 'outcomes.outcome_id', nct_id='outcomes.nct_id') }}
            as result_group_id
    from outcomes
    cross join lateral {{ json_items("outcomes.outcome -> 'groups'") }}

)
{%- endmacro %}


{# `identified_outcomes`, and `outcome_analyses (outcome_analysis_id, outcome_id, nct_id, analysis)`. #}
{% macro identified_outcome_analyses() -%}
{{ identified_outcomes() }},

outcome_analyses as (

    select
        {{ surrogate_id(['outcomes.nct_id', 'outcomes.outcome_id', 'item.position']) }} as outcome_analysis_id,
        outcomes.outcome_id,
        outcomes.nct_id,
        item.value as analysis
    from outcomes
    cross join lateral {{ json_items("outcomes.outcome -> 'analyses'") }}
    {{ evaluate_once() }}

)
{%- endmacro %}


{# The number of `units` that a list of denominators gives for a group, as text; NULL where it gives none. #}
{% macro denominator(denominators, units, code) -%}
    jsonb_path_query_first(
        {{ denominators }},
        '$[*] ? (@.units == $units).counts[*] ? (@.groupId == $code).value',
        jsonb_build_object('units', {{ units }}, 'code', {{ code }})
    ) #>> '{}'
{%- endmacro %}


{# The number in a p-value: 0.001 for '<0.001'. #}
{% macro p_value(text) -%}
    {{ as_numeric("translate(" ~ text ~ ", '<>= ', '')") }}::double precision
{%- endmacro %}


{# What stands around the number in a p-value: '<' for '<0.001'; NULL where nothing does. #}
{% macro p_value_modifier(text) -%}
    nullif(btrim(regexp_replace({{ text }}, '[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[-.]', '', 'g')), '')::varchar
{%- endmacro %}


{#
    CTEs that end in `modules (nct_id, module)` and `groups (nct_id, ctgov_group_code, result_group_id)`: a part of the
    results. Rows with a code that no group has are kept, without a group.
#}
{% macro module_with_groups(module, result_type, list='groups') -%}
modules as (

    select
        nct_id,
        payload #> '{resultsSection,{{ module }}}' as module
    from source
    {{ evaluate_once() }}

),

groups as (

    select distinct
        modules.nct_id,
        item.value ->> 'id' as ctgov_group_code,
        {{ result_group_id("'" ~ result_type ~ "'", "(item.value ->> 'id')", nct_id='modules.nct_id') }} as result_group_id
    from modules
    cross join lateral {{ json_items("modules.module -> '" ~ list ~ "'") }}

)
{%- endmacro %}


{# The participant flow with its groups, and `counted (nct_id, period, entry, count, position)`: what it counts. #}
{% macro counts_by_period(entries, counts) -%}
{{ module_with_groups('participantFlowModule', 'Participant Flow') }},

counted as (

    select
        modules.nct_id,
        (period.value ->> 'title')::varchar as period,
        entry.value as entry,
        item.value as count,
        array[period.position, entry.position, item.position] as position
    from modules
    cross join lateral {{ json_items("modules.module -> 'periods'", 'period') }}
    cross join lateral {{ json_items("period.value -> '" ~ entries ~ "'", 'entry') }}
    cross join lateral {{ json_items("entry.value -> '" ~ counts ~ "'") }}

)
{%- endmacro %}
