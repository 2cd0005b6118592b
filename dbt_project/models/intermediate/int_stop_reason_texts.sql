with stopped_trials as (

    select * from {{ ref('int_stopped_trials') }}

)

select
    text_hash,
    min(why_stopped) as text,
    count(*)::integer as study_count,
    max(last_update_posted_date) as latest_update
from stopped_trials
where why_stopped is not null
group by text_hash
