{% set days_per_month = 30.4375 %}

with trials as (

    select * from {{ ref('dim_trials') }}

),

-- what has happened, not what is planned; older records leave the start's type out
enrolled as (

    select
        *,
        ((primary_completion_date - start_date) / {{ days_per_month }})::numeric(10, 2) as recruitment_months
    from trials
    where
        deleted_at is null
        and enrollment_type = 'ACTUAL'
        and primary_completion_date_type = 'ACTUAL'
        and coalesce(start_date_type, 'ACTUAL') = 'ACTUAL'
        and enrollment is not null
        and facility_count > 0
        and primary_completion_date > start_date

)

select
    -- the trial
    nct_id,
    study_type,
    phase,
    overall_status,
    lead_sponsor_class,

    -- what the rate is made of
    enrollment,
    facility_count,
    start_date,
    primary_completion_date,
    recruitment_months,
    start_date_precision = 'day' and primary_completion_date_precision = 'day' as has_exact_dates,

    -- the rate
    (enrollment * {{ days_per_month }} / facility_count / (primary_completion_date - start_date))::numeric(14, 4)
        as patients_per_site_per_month
from enrolled
