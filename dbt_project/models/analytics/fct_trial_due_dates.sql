{{ config(indexes=[{'columns': ['due_date']}, {'columns': ['nct_id']}]) }}

with trials as (

    select
        trials.*,
        studies.disposition_first_submitted_date,
        -- 42 CFR 11.22(b) as far as the registry tells it: a controlled trial of a regulated drug, biologic or device
        coalesce(
            trials.study_type = 'INTERVENTIONAL'
            and (studies.is_fda_regulated_drug or studies.is_fda_regulated_device)
            and coalesce(trials.phase not in ('PHASE1', 'EARLY_PHASE1'), true),
            false
        ) as must_report
    from {{ ref('dim_trials') }} as trials
    inner join {{ ref('stg_ctgov__studies') }} as studies on trials.nct_id = studies.nct_id
    where
        trials.primary_completion_date is not null
        and trials.deleted_at is null
        and trials.overall_status is distinct from 'WITHDRAWN'

),

primary_completions as (

    select
        *,
        'primary completion' as falls_due,
        primary_completion_date as due_date,
        'date in the record' as due_by
    from trials

),

-- 42 CFR 11.44: a year after primary completion, or two after a certification that puts it off
results as (

    select
        *,
        'results' as falls_due,
        case
            when disposition_first_submitted_date is null then (primary_completion_date + interval '1 year')::date
            else (disposition_first_submitted_date + interval '2 years')::date
        end as due_date,
        case
            when disposition_first_submitted_date is null then 'primary completion and a year'
            else 'certified delay of two years'
        end as due_by
    from trials
    where must_report and not has_results

),

due as (

    select * from primary_completions
    union all
    select * from results

)

select
    -- what is expected when
    nct_id::text as nct_id,
    falls_due::text as falls_due,
    due_date,
    due_by::text as due_by,
    primary_completion_date,
    primary_completion_date_type,
    primary_completion_date_precision,

    -- of which trial
    brief_title,
    overall_status,
    phase,
    lead_sponsor,
    lead_sponsor_class,
    enrollment
from due
