with registered as (

    select
        coalesce(lead_sponsor, 'NOT_REPORTED') as lead_sponsor,
        date_trunc('week', first_posted_date)::date as week,
        nct_id,
        'new' as move
    from {{ ref('dim_trials') }}
    where first_posted_date is not null

),

-- the sponsor is the one that the trial had after the change
changed as (

    select
        coalesce(versions.lead_sponsor, 'NOT_REPORTED') as lead_sponsor,
        date_trunc('week', changes.changed_at at time zone 'America/New_York')::date as week,
        changes.nct_id,
        {{ sponsor_move('changes') }} as move
    from {{ ref('fct_trial_changes') }} as changes
    inner join {{ ref('dim_trial_versions') }} as versions
        on changes.nct_id = versions.nct_id and changes.version = versions.version
    where changes.change_type <> 'appeared'

),

moves as (

    select * from registered
    union all
    select * from changed

),

sponsors as (

    select
        lead_sponsor,
        mode() within group (order by lead_sponsor_class) as lead_sponsor_class
    from {{ ref('dim_trials') }}
    group by lead_sponsor

)

select
    moves.lead_sponsor,
    sponsors.lead_sponsor_class,
    moves.week,
    (count(distinct moves.nct_id) filter (where moves.move = 'new'))::integer as new_trials,
    (count(distinct moves.nct_id) filter (where moves.move = 'started'))::integer as started,
    (count(distinct moves.nct_id) filter (where moves.move = 'stopped'))::integer as stopped,
    (count(distinct moves.nct_id) filter (where moves.move = 'completed'))::integer as completed,
    (count(distinct moves.nct_id) filter (where moves.move = 'results_posted'))::integer as results_posted,
    (count(distinct moves.nct_id) filter (where moves.move = 'phase_advanced'))::integer as phase_advanced,
    (count(distinct moves.nct_id) filter (where moves.move = 'delayed'))::integer as delayed,
    (count(distinct moves.nct_id) filter (where moves.move = 'vanished'))::integer as vanished,
    (count(distinct moves.nct_id) filter (where moves.move is distinct from 'new'))::integer as changed_trials,
    (count(*) filter (where moves.move is distinct from 'new'))::integer as changes
from moves
left join sponsors on moves.lead_sponsor = sponsors.lead_sponsor
group by moves.lead_sponsor, sponsors.lead_sponsor_class, moves.week
