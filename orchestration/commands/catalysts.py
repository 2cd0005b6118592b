"""`bioloupe catalysts`: what falls due on coming trading days."""

from __future__ import annotations

from datetime import datetime

import click

from orchestration.settings import ConfigurationError, settings


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 730), help="How many days ahead.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day.  [default: today]")
@click.option("--watchlist", help="Only trials that this watchlist finds.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="How many rows.")
def catalysts(days: int, first: datetime | None, watchlist: str | None, limit: int) -> None:
    """List trials whose primary completion or results fall due on coming sessions of the New York Stock Exchange.

    \b
    results   what US law wants (FDAAA): a year after primary completion, later where a delay is
              certified, and not posted yet
    What falls due on a weekend or a holiday is listed with the next session.
    """
    from orchestration.commands import watch_view
    from orchestration.warehouse import ensure
    from orchestration.watch import catalysts as due
    from orchestration.watch import store

    url = ensure(settings()).url
    watched = store.find(url, watchlist) if watchlist else None
    begin = first.date() if first else due.today()
    try:
        sessions = due.coming_sessions(begin, days)
    except ValueError as unknown:
        raise ConfigurationError(str(unknown)) from None
    table = due.catalysts(url, sessions, watched)
    console = watch_view.console()
    whose = f" of {watched.slug}" if watched else ""
    when = f"on the {len(sessions)} sessions of {days} days from {begin}"
    if table.is_empty():
        console.print(f"nothing{whose} falls due {when}")
        return
    console.print(f"{table.height:,}{whose} fall due {when}\n")
    watch_view.show_catalysts(console, table, limit)
