with studies as (

    select * from {{ ref('stg_ctgov__studies') }}

),

stopped as (

    select
        nct_id,
        overall_status,
        last_update_posted_date,
        {{ normalized_text('why_stopped') }} as why_stopped
    from studies
    where
        overall_status in ('TERMINATED', 'WITHDRAWN', 'SUSPENDED')
        and deleted_at is null

)

select
    nct_id,
    overall_status,
    last_update_posted_date,
    why_stopped,
    {{ text_hash('why_stopped') }} as text_hash
from stopped
