with source as (

    {{ changed_studies() }}

),

{{ named_terms('keywords') }}

select * from renamed
