"""A watchlist's pages: the brief of its trials and what changed in them, and the digest of one week."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from orchestration.reports.brief import STUDY_URL, is_public, source
from orchestration.reports.report import Report, Section
from orchestration.reports.section import PHASES
from orchestration.settings import Settings
from orchestration.watch.watchlist import Watchlist

if TYPE_CHECKING:
    from polars import DataFrame

CHANGE_DAYS = 30
SOON_DAYS = 180
MOST_ROWS = 200
LONGEST_VALUE = 120
OPEN = ("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING")
NO_TRIALS = "No trial matches. Terms are whole words: `bioloupe watch add --help` tells where they are looked for."


def brief(watchlist: Watchlist, day: date, trials: DataFrame, changes: DataFrame, config: Settings) -> Report:
    """The page of a watchlist on `day`: `trials` that match, and `changes` in them in the last CHANGE_DAYS days."""
    return Report(
        title=watchlist.title,
        subtitle=f"Watchlist, {_day(day)}: {watchlist}",
        facts=_facts(trials, changes),
        sections=[
            _changes(changes, f"In matching trials, in the {CHANGE_DAYS} days to this page.", "the last month"),
            _phases(trials),
            _soon(trials, day),
            _trials(trials),
        ],
        footer=source(config),
        study_url=STUDY_URL if is_public(config) else None,
    )


def digest(watchlist: Watchlist, monday: date, changes: DataFrame, config: Settings) -> Report:
    """The page of a watchlist's week that began on `monday`."""
    sunday = monday + timedelta(days=6)
    counted = changes["what"].value_counts(sort=True, name="changes") if changes.height else None
    return Report(
        title=f"{watchlist.title}: week of {_day(monday)}",
        subtitle=f"Weekly digest, {_day(monday)} to {_day(sunday)}: {watchlist}",
        facts=[
            ("Changes", f"{changes.height:,}"),
            ("Trials that changed", f"{changes['nct_id'].n_unique():,}"),
            ("Kinds of change", f"{0 if counted is None else counted.height}"),
        ],
        sections=[
            _counts(counted),
            _changes(changes, "Newest first, as this warehouse saw them.", "this week"),
        ],
        footer=source(config),
        study_url=STUDY_URL if is_public(config) else None,
    )


def _facts(trials: DataFrame, changes: DataFrame) -> list[tuple[str, str]]:
    statuses = trials["overall_status"]
    return [
        ("Trials", f"{trials.height:,}"),
        ("Recruiting", f"{(statuses == 'RECRUITING').sum():,}"),
        ("Lead sponsors", f"{trials['lead_sponsor'].n_unique():,}"),
        (f"Trials that changed in {CHANGE_DAYS} days", f"{changes['nct_id'].n_unique():,}"),
    ]


def _changes(changes: DataFrame, note: str, when: str) -> Section:
    import polars as pl

    shown = changes.select(
        pl.col("changed_at").dt.convert_time_zone("America/New_York").dt.date().alias("seen"),
        "nct_id",
        "brief_title",
        "what",
        _short("old_value", LONGEST_VALUE),
        _short("new_value", LONGEST_VALUE),
    )
    return Section(
        name="changes",
        title="What changed",
        note=_limited(note, shown),
        table=shown.head(MOST_ROWS),
        chart=None,
        empty=f"Nothing changed in matching trials in {when}.",
        headings={
            "seen": "Seen",
            "nct_id": "Trial",
            "brief_title": "Title",
            "old_value": "Was",
            "new_value": "Is",
            "what": "What",
        },
    )


def _counts(counted: DataFrame | None) -> Section:
    return Section(
        name="kinds",
        title="Kinds of change",
        note="How often each field changed.",
        table=counted,
        chart={
            "mark": "bar",
            "height": {"step": 24},
            "encoding": {
                "y": {"field": "what", "type": "nominal", "sort": None, "title": None},
                "x": {"field": "changes", "type": "quantitative", "title": "Changes", "axis": {"tickMinStep": 1}},
            },
        },
        empty="Nothing changed in matching trials this week.",
        alt="Bars, one for each kind of change, of how often it happened",
    )


def _phases(trials: DataFrame) -> Section:
    import polars as pl

    status = pl.when(pl.col("overall_status").is_in(OPEN)).then(pl.lit("Open")).otherwise(pl.lit("Closed"))
    names = list(PHASES.values())
    counted = (
        trials.select(pl.col("phase").fill_null("NA").replace(PHASES), status.alias("status"))
        .group_by("phase", "status")
        .agg(pl.len().cast(pl.Int64).alias("trials"))
        .sort(pl.col("phase").replace_strict(names, range(len(names)), default=len(names)), "status")
    )
    return Section(
        name="phases",
        title="Trials by phase",
        note="Open: recruiting, about to, by invitation, or active.",
        table=counted,
        chart={
            "mark": "bar",
            "height": {"step": 26},
            "encoding": {
                "y": {"field": "phase", "type": "nominal", "sort": names, "title": None},
                "x": {"field": "trials", "type": "quantitative", "title": "Trials", "axis": {"tickMinStep": 1}},
                "color": {"field": "status", "type": "nominal"},
            },
        },
        empty=NO_TRIALS,
        alt="Bars, one for each phase, of its trials, divided into open and closed",
        pivot=("phase", "status", "trials"),
    )


def _soon(trials: DataFrame, day: date) -> Section:
    import polars as pl

    completion = pl.col("primary_completion_date")
    shown = (
        trials.filter(completion.is_between(day, day + timedelta(days=SOON_DAYS)))
        .sort("primary_completion_date", "nct_id")
        .select("primary_completion_date", *_about())
    )
    return Section(
        name="soon",
        title="Primary completions ahead",
        note=_limited(f"Due within {SOON_DAYS} days.", shown),
        table=shown.head(MOST_ROWS),
        chart=None,
        empty=f"None is due within {SOON_DAYS} days.",
        headings=_HEADINGS,
    )


def _trials(trials: DataFrame) -> Section:
    shown = trials.select(*_about(), "last_update_posted_date", _short("matched", 60))
    return Section(
        name="trials",
        title="Matching trials",
        note=_limited("Those in the registry, latest update first.", shown),
        table=shown.head(MOST_ROWS),
        chart=None,
        empty=NO_TRIALS,
        headings=_HEADINGS,
    )


def _about() -> list[Any]:
    """Columns of a trial, as expressions: phase and status in words."""
    import polars as pl

    status = pl.col("overall_status").str.replace_all("_", " ").str.to_titlecase()
    phase = pl.col("phase").fill_null("NA").replace(PHASES)
    return [pl.col("nct_id"), pl.col("brief_title"), phase, status, pl.col("lead_sponsor")]


def _short(name: str, most: int) -> Any:
    """A column of texts, each cut after `most` characters; nothing is an empty text."""
    import polars as pl

    text = pl.col(name).fill_null("")
    cut = pl.when(text.str.len_chars() > most).then(text.str.slice(0, most) + "…").otherwise(text)
    return cut.alias(name)


_HEADINGS = {
    "nct_id": "Trial",
    "brief_title": "Title",
    "phase": "Phase",
    "overall_status": "Status",
    "lead_sponsor": "Lead sponsor",
    "primary_completion_date": "Primary completion",
    "last_update_posted_date": "Updated",
    "matched": "Found by",
}


def _limited(note: str, table: DataFrame) -> str:
    return note if table.height <= MOST_ROWS else f"{note} The first {MOST_ROWS:,} of {table.height:,}."


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
