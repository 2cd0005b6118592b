{{ config(materialized='view') }}

select
    nct_id,
    loaded_at,
    deleted_at,
    found_by
from {{ source('raw_ctgov', 'studies') }}
