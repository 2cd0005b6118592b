{#
    AACT's integer `id`, made from the row's natural key so that it stays the same across reloads:
    60 bits of the MD5 of the key's parts. 32 bits, AACT's type, are too few: some two rows of a
    table of 100,000 would already share an id. So ids are bigint.

    `key`: the columns that identify a row within the registry, `nct_id` first. `position`: for
    tables that may hold the same key twice, the column that tells such rows apart by their order.
#}
{% macro surrogate_id(key, position=none) -%}
    {%- set parts = [] -%}
    {%- for column in key -%}
        {%- do parts.append("coalesce(" ~ column ~ "::text, '')") -%}
    {%- endfor -%}
    {%- if position -%}
        {%- do parts.append("row_number() over (partition by " ~ key | join(", ") ~ " order by " ~ position ~ ")") -%}
    {%- endif -%}
    ('x0' || left(md5(concat_ws(chr(31), {{ parts | join(', ') }})), 15))::bit(64)::bigint
{%- endmacro %}
