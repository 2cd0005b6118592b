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
    from dagster import AssetSelection, DagsterInstance

    from orchestration.reports.node import RendererMissing, command
    from orchestration.runtime import activate

    try:
        command()
    except RendererMissing as missing:
        click.secho(f"not drawn: {missing}", fg="yellow", err=True)
        return False
    activate()
    from orchestration.definitions import defs

    job = defs.resolve_implicit_global_asset_job_def()
    selected = AssetSelection.assets(["reports", "brief"]).upstream(depth=1) & AssetSelection.groups("reports")
    with DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=list(selected.resolve(defs.resolve_asset_graph())),
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            raise_on_error=False,
        )
    return result.success
