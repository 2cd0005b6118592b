with source as (

    {{ changed_studies() }}

),

{{ mesh_terms('conditionBrowseModule') }}

select * from renamed
