with stopped_trials as (

    select * from {{ ref('int_stopped_trials') }}

),

trials as (

    select * from {{ ref('dim_trials') }}

),

-- of several answers to one text the newest counts, and a failure only where there is no answer
answers as (

    select distinct on (text_hash) *
    from {{ source('enrichment', 'stop_reasons') }}
    where task = 'stop_reasons'
    order by text_hash asc, (status = 'answered') desc, answered_at desc

)

select
    -- the trial
    stopped_trials.nct_id::text as nct_id,
    stopped_trials.overall_status::text as overall_status,
    trials.phase,
    trials.lead_sponsor,
    trials.lead_sponsor_class,
    stopped_trials.last_update_posted_date,

    -- what the sponsor says
    stopped_trials.why_stopped,
    stopped_trials.text_hash,

    -- what was read in it
    case
        when stopped_trials.why_stopped is null then 'no_text'
        else coalesce(answers.status, 'unread')
    end as read_status,
    answers.stop_reason,
    answers.second_reason,
    answers.evidence,

    -- how
    answers.confidence,
    answers.method,
    answers.model,
    answers.version,
    answers.answered_at
from stopped_trials
inner join trials on stopped_trials.nct_id = trials.nct_id
left join answers on stopped_trials.text_hash = answers.text_hash
