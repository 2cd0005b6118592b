{#
    CTEs `modules (nct_id, module)`, the arms and interventions of `source`, and `identified_interventions
    (intervention_id, nct_id, intervention)`: its interventions as JSON, each with its key.
#}
{% macro identified_interventions() -%}
modules as (

    select
        nct_id,
        payload #> '{protocolSection,armsInterventionsModule}' as module
    from source

),

interventions as (

    select
        modules.nct_id,
        item.position,
        item.value ->> 'type' as intervention_type,
        item.value ->> 'name' as name,
        item.value as intervention
    from modules
    cross join lateral {{ json_items("modules.module -> 'interventions'") }}

),

identified_interventions as (

    select
        {{ surrogate_id(['nct_id', 'intervention_type', 'name'], position='position') }} as intervention_id,
        nct_id,
        intervention
    from interventions

)
{%- endmacro %}
