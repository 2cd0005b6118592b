{#
    The elements of a JSON array in their order, as `(value jsonb, position bigint)`: goes after
    `cross join lateral`. An absent array has no elements, null elements are skipped, and a value
    that should have been an array but is not counts as its only element (JSON path's lax mode):
    the registry's shape never fails a build.
#}
{% macro json_items(expression, alias='item') -%}
    jsonb_path_query({{ expression }}, '$[*] ? (@ != null)') with ordinality as {{ alias }} (value, position)
{%- endmacro %}


{# How many elements an array has; NULL where it is absent. #}
{% macro json_length(expression) -%}
    case when jsonb_typeof({{ expression }}) = 'array' then jsonb_array_length({{ expression }}) end
{%- endmacro %}
