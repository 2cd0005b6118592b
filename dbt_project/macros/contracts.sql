{#
    The columns that a contract promises, as a query without rows: dbt's own macro but for its warning of `numeric`
    without a precision. Elsewhere that rounds; in Postgres it keeps every digit, as AACT's columns do.
#}
{% macro postgres__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        {{ cast('null', column.data_type) }} as {{ column.name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
