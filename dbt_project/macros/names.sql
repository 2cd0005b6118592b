{#
    Where a model's relation is and what it is called.

    The schema is the configured one: a target is a database of its own, and `ctgov.studies` must be called that
    everywhere. Only `staging` shares its database, where each branch builds in schemas of its own,
    `feature_x__ctgov`, and `target.schema` is the branch. A name that is not safe there builds nothing, so that
    no branch ever writes to the shared schemas.
#}
{% macro generate_schema_name(custom_schema_name, node=none) -%}
    {%- set layer = (custom_schema_name or target.schema) | trim -%}
    {%- if target.name != 'staging' -%} {{ layer }}
    {%- elif not modules.re.fullmatch('[a-z][a-z0-9]*(_[a-z0-9]+)*', target.schema) -%}
        {{ exceptions.raise_compiler_error('BIOLOUPE_BRANCH=' ~ target.schema ~ ' names no branch deployment: `bioloupe branch list`') }}
    {%- else -%} {{ target.schema }}__{{ layer }}
    {%- endif -%}
{%- endmacro %}


{# `stg_ctgov__studies` is the relation `ctgov.studies`: the prefix only keeps dbt's names unique. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%} {{ custom_alias_name | trim }}
    {%- elif node.name.startswith('stg_') -%} {{ node.name.split('__', 1)[1] }}
    {%- else -%} {{ node.name }}
    {%- endif -%}
{%- endmacro %}
