{#
    Where a model's relation is and what it is called.

    The schema is the configured one in every target: a target is a database of its own, and
    `ctgov.studies` must be called that everywhere.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}


{# `stg_ctgov__studies` is the relation `ctgov.studies`: the prefix only keeps dbt's names unique. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%} {{ custom_alias_name | trim }}
    {%- elif node.name.startswith('stg_') -%} {{ node.name.split('__', 1)[1] }}
    {%- else -%} {{ node.name }}
    {%- endif -%}
{%- endmacro %}
