{# Parts that tables of terms share: the sponsor's words, and what the registry derives from them. #}

{# CTEs that end in `renamed`: the names in a list of the conditions module. #}
{% macro named_terms(list) -%}
unnested as (

    select
        source.nct_id,
        item.position,
        (item.value #>> '{}')::varchar as name
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,conditionsModule," ~ list ~ "}'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'name'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- names
        name,
        lower(name)::varchar as downcase_name
    from unnested

)
{%- endmacro %}


{# CTEs that end in `renamed`: the MeSH terms that a module of the derived section found, and their ancestors. #}
{% macro mesh_terms(module) -%}
modules as (

    select
        nct_id,
        payload #> '{derivedSection,{{ module }}}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.mesh_type::varchar as mesh_type,
        item.position,
        (item.value ->> 'id')::varchar as mesh_id,
        (item.value ->> 'term')::varchar as mesh_term
    from modules
    cross join (
        values
        ('mesh-list', 'meshes'),
        ('mesh-ancestor', 'ancestors')
    ) as kind (mesh_type, list)
    cross join lateral {{ json_items('modules.module -> kind.list') }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['nct_id', 'mesh_type', 'mesh_term'], position='position') }} as id,
        nct_id::varchar as nct_id,

        -- the MeSH term
        mesh_id,
        mesh_term,
        lower(mesh_term)::varchar as downcase_mesh_term,
        mesh_type
    from unnested

)
{%- endmacro %}


{# CTEs that end in `unnested (nct_id, derived_from, item, position)`: a list of both browse modules. #}
{% macro browse_items(list) -%}
modules as (

    select
        nct_id,
        payload -> 'derivedSection' as derived_section
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.derived_from::varchar as derived_from,
        item.value as item,
        item.position
    from modules
    cross join (
        values
        ('condition', 'conditionBrowseModule'),
        ('intervention', 'interventionBrowseModule')
    ) as kind (derived_from, module)
    cross join lateral {{ json_items("modules.derived_section -> kind.module -> '" ~ list ~ "'") }}
    {{ evaluate_once() }}

)
{%- endmacro %}
