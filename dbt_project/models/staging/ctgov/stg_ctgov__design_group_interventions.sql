{{
    config(indexes=[
        {'columns': ['nct_id']},
        {'columns': ['design_group_id']},
        {'columns': ['intervention_id']},
    ])
}}

with source as (

    {{ changed_studies() }}

),

{{ identified_interventions() }},

design_groups as (

    select
        modules.nct_id,
        item.position,
        item.value ->> 'label' as title
    from modules
    cross join lateral {{ json_items("modules.module -> 'armGroups'") }}

),

-- the same key as in stg_ctgov__design_groups
identified_design_groups as (

    select
        {{ surrogate_id(['nct_id', 'title'], position='position') }} as design_group_id,
        nct_id,
        title,
        position
    from design_groups

),

-- a label that two groups share means the last of them
labelled_design_groups as (

    select distinct on (nct_id, title)
        nct_id,
        title,
        design_group_id
    from identified_design_groups
    order by nct_id asc, title asc, position desc

),

links as (

    select
        identified_interventions.nct_id,
        identified_interventions.intervention_id,
        item.position,
        item.value #>> '{}' as label
    from identified_interventions
    cross join lateral {{ json_items("identified_interventions.intervention -> 'armGroupLabels'") }}

),

renamed as (

    select
        -- keys
        {{ surrogate_id(['links.nct_id', 'links.intervention_id', 'links.label'], position='links.position') }} as id,
        links.nct_id::varchar as nct_id,
        labelled_design_groups.design_group_id,
        links.intervention_id
    from links
    left join labelled_design_groups
        on
            links.nct_id = labelled_design_groups.nct_id
            and links.label = labelled_design_groups.title

)

select * from renamed
