with source as (

    {{ changed_studies() }}

),

modules as (

    select
        nct_id,
        payload #> '{derivedSection,conditionBrowseModule}' as module
    from source
    {{ evaluate_once() }}

),

unnested as (

    select
        modules.nct_id,
        kind.mesh_type::varchar as mesh_type,
        item.position,
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
        mesh_term,
        lower(mesh_term)::varchar as downcase_mesh_term,
        mesh_type
    from unnested

)

select * from renamed
