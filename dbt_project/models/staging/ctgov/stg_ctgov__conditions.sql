with source as (

    {{ changed_studies() }}

),

{{ named_terms('conditions') }}

select * from renamed
