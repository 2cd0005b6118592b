"""`bioloupe brief`: the newest nightly brief, drawn anew if asked."""

import sys
import webbrowser

import click


@click.command()
@click.option("--draw", is_flag=True, help="Ask the marts and draw it anew, without loading anything.")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def brief(draw: bool, open_: bool) -> None:
    """Tell where the newest nightly brief is: one HTML file that needs nothing else, to read, send or print."""
    from orchestration.reports import pages
    from orchestration.reports.brief import NAME

    if draw and not _draw():
        sys.exit(1)
    page = pages.latest(NAME)
    if page is None:
        click.secho("There is no brief yet: `bioloupe refresh` or `bioloupe brief --draw` makes one.", err=True)
        sys.exit(1)
    click.echo(page)
    if open_ and not webbrowser.open(page.as_uri()):
        click.secho("No browser was found to open it.", err=True)


def _draw() -> bool:
    """Draw it in a run of Dagster's, as the nightly run does. Says why where it does not."""
    from dagster import DagsterInstance

    from orchestration.commands.refresh_report import Outcome
    from orchestration.nightly import RefreshRunning, create_run, events
    from orchestration.reports.node import RendererMissing, command
    from orchestration.runtime import activate

    try:
        command()
    except RendererMissing as missing:
        click.secho(f"not drawn: {missing}", fg="yellow", err=True)
        return False
    warehouse, outcome = activate(), Outcome()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with DagsterInstance.get() as instance:
        try:
            run = create_run(instance, warehouse.dagster_url, "draw_brief", quiet)
        except RefreshRunning as error:
            click.secho(f"not drawn: {error}", fg="yellow", err=True)
            return False
        for event in events(run, instance):
            outcome.add(event)
    for why in outcome.failures.values():
        click.secho(f"not drawn: {why}", fg="red", err=True)
    return outcome.succeeded
