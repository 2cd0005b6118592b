"""Which trials a watchlist finds, and what changed in them.

Names are read where they stand, without an index of their own: 7 million short names, those of 600,000 studies, take
about 6 s on one core; a watchlist of conditions, drugs or sponsors reads only those.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.reports.frames import missing
from orchestration.reports.sections.changes_last_night import what_changed
from orchestration.settings import settings
from orchestration.watch.reading import read
from orchestration.watch.terms import any_pattern
from orchestration.watch.watchlist import Watchlist

if TYPE_CHECKING:
    from polars import DataFrame

# Kind of filter → kinds of names in int_trial_terms.
LOOKS_IN = {
    "terms": ["condition", "intervention", "keyword", "title", "sponsor"],
    "conditions": ["condition"],
    "drugs": ["intervention"],
    "sponsors": ["sponsor"],
}
TRIALS = """
select
    trials.nct_id, trials.brief_title, trials.phase, trials.overall_status, trials.lead_sponsor,
    trials.lead_sponsor_class, trials.condition_names, trials.intervention_names, trials.enrollment, trials.start_date,
    trials.primary_completion_date, trials.completion_date, trials.has_results, trials.first_posted_date,
    trials.last_update_posted_date, found.matched
from {analytics}.dim_trials as trials inner join found on trials.nct_id = found.nct_id
where trials.deleted_at is null
order by trials.last_update_posted_date desc nulls last, trials.nct_id
"""
CHANGES = """
select
    changes.nct_id, trials.brief_title, {what} as what, changes.field, changes.change_type, changes.old_value,
    changes.new_value, changes.registry_date, changes.changed_at
from {analytics}.fct_trial_changes as changes
inner join found on changes.nct_id = found.nct_id
left join {analytics}.dim_trials as trials on changes.nct_id = trials.nct_id
where changes.changed_at >= %(since)s and changes.changed_at < %(until)s
order by changes.changed_at desc, changes.nct_id, changes.field
"""


def trials(url: str, watchlist: Watchlist) -> DataFrame:
    """The trials that match now, latest update first, with `matched`: the names that were found in it."""
    return read(url, found(watchlist) + TRIALS, parameters(watchlist))


def changes(url: str, watchlist: Watchlist, since: datetime, until: datetime) -> DataFrame:
    """What changed in matching trials in [since, until), times with a zone, newest first.

    `what` says what the field, or what became of the record, is called. Trials that vanished from the registry are
    among them: that is a change too.
    """
    statement = found(watchlist) + CHANGES.replace("{what}", what_changed("changes"))
    return read(url, statement, {**parameters(watchlist), "since": since, "until": until})


def found(watchlist: Watchlist) -> str:
    """The beginning of a statement: `with found as (nct_id, matched)`, where every kind of filter finds a name."""
    kinds = list(watchlist.filters())
    by_kind = " union all ".join(
        f"select nct_id, '{kind}' as filter, min(term) as term from {{intermediate}}.int_trial_terms "
        f"where kind = any(%({kind}_in)s) and term ~* %({kind}_like)s group by nct_id"
        for kind in kinds
    )
    # One row per trial and filter in `hits`: a trial that some filter does not find has too few.
    return (
        f"with hits as materialized ({by_kind}), found as (select nct_id, string_agg(distinct term, '; ') as matched "
        f"from hits group by nct_id having count(*) = {len(kinds)})"
    )


def parameters(watchlist: Watchlist) -> dict[str, Any]:
    """What `found` asks for, by name."""
    filters = watchlist.filters()
    kinds = {f"{kind}_in": LOOKS_IN[kind] for kind in filters}
    return kinds | {f"{kind}_like": any_pattern(list(terms)) for kind, terms in filters.items()}


def is_built(url: str) -> bool:
    """Whether the marts that a watchlist reads are there."""
    names = [("intermediate", "int_trial_terms"), ("analytics", "dim_trials"), ("analytics", "fct_trial_changes")]
    relations = [f"{settings().schema_of(layer)}.{name}" for layer, name in names]
    return not missing(url, relations)
