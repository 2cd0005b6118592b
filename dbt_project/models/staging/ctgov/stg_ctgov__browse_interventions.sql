with source as (

    {{ changed_studies() }}

),

{{ mesh_terms('interventionBrowseModule') }}

select * from renamed
