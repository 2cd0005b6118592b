{#
    dbt's incremental materialization, but for the runs whose outcome a contract has settled beforehand.

    An incremental run of dbt's own fills a temporary table, compares its columns with the target's, copies it over and
    writes every comment again: a dozen round trips, for most of our models the greater part of a night. Where a model
    appends, has an enforced contract and says `on_schema_change: fail`, the contract names the columns, so that a run
    is: pre-hooks, one look at the table, one `insert … select`, post-hooks. The first build, a full refresh, and
    models that ask for anything else are left to dbt.

    That a query still gives the types of its contract is checked when a table is built; an incremental run casts
    what Postgres casts in any insert, and fails at the rest.
#}
{% materialization incremental, adapter='postgres' %}
    {%- if not (is_incremental() and contract_settles_columns()) %}
        {{- return(dbt.materialization_incremental_default()) }}
    {%- endif %}
    {%- set target_relation = this.incorporate(type='table') %}

    {{- run_hooks(pre_hooks, inside_transaction=False) }}
    {#- `begin` happens here. #}
    {{- run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set is_commented = compare_with_contract(target_relation) %}
    {%- call statement('main') %}
    insert into {{ target_relation }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
    {{ get_select_subquery(sql) }}
    {%- endcall %}

    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(target_relation, false)) %}
    {%- if not is_commented %}
        {%- do persist_docs(target_relation, model) %}
    {%- endif %}

    {{- run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() %}
    {{- run_hooks(post_hooks, inside_transaction=False) }}

    {{- return({'relations': [target_relation]}) }}
{% endmaterialization %}


{# Whether the contract says all that an incremental run of the model has to know. #}
{% macro contract_settles_columns() %}
    {{- return(
        config.get('contract').enforced
        and config.get('incremental_strategy') == 'append'
        and config.get('on_schema_change') == 'fail'
        and not config.get('sql_header')
    ) }}
{% endmacro %}


{#
    Whether the comments of a table and its columns are the model's descriptions. Columns that are not the contract's
    are an error, as anything appended to them would be.
#}
{% macro compare_with_contract(relation) %}
    {%- set wrong, comments = [], [] %}
    {%- for name, promised, held in run_query(differences_from_contract(relation)) %}
        {%- if promised == held %}
            {%- do comments.append(name) %}
        {%- else %}
            {%- do wrong.append(name ~ " (contract: " ~ (promised or "none") ~ ", table: " ~ (held or "none") ~ ")") %}
        {%- endif %}
    {%- endfor %}
    {%- if wrong %}
        {%- do exceptions.raise_compiler_error(
            relation.include(database=false) ~ " has other columns than its contract: " ~ wrong | join(", ")
            ~ ". Build it anew: `dbt run --full-refresh --select " ~ model.name ~ "+`"
        ) %}
    {%- endif %}
    {{- return(not comments) }}
{% endmacro %}


{#
    A row (name, type in the contract, type in the table) for each column whose type or comment is not what the model
    says; a type is null where there is no such column, both are null for the table's own comment.
#}
{% macro differences_from_contract(relation) %}
    {%- set table = "'" ~ relation.include(database=false) ~ "'::regclass" %}
    select
        coalesce(promised.name, held.name) as name,
        format_type(promised.type, null) as promised_type,
        format_type(held.type, null) as held_type
    from (
        values
        {%- for column in model.columns.values() %}
        (
            '{{ column.name if column.quote else column.name | lower }}'::name,
            '{{ column.data_type }}'::regtype::oid,
            {{ postgres_escape_comment(column.description) }}
        ){{ "," if not loop.last }}
        {%- endfor %}
    ) as promised (name, type, comment)
    full join (
        select attname as name, atttypid as type, col_description(attrelid, attnum) as comment
        from pg_attribute
        where attrelid = {{ table }} and attnum > 0 and not attisdropped
    ) as held on held.name = promised.name
    where
        promised.type is distinct from held.type
        {%- if config.persist_column_docs() %}
        or promised.comment <> coalesce(held.comment, '')
        {%- endif %}
    {%- if config.persist_relation_docs() %}
    union all
    select 'table', null, null
    where {{ postgres_escape_comment(model.description) }} <> coalesce(obj_description({{ table }}, 'pg_class'), '')
    {%- endif %}
{% endmacro %}
