"""`bioloupe alerts`: whether alerts reach anybody."""

import sys

import click

from orchestration.settings import settings


@click.group()
def alerts() -> None:
    """Failures and recoveries, told to the services of BIOLOUPE_ALERT_URLS.

    Slack, e-mail, a webhook and a hundred others, each by one Apprise URL: https://appriseit.com/services/
    """


@alerts.command()
def test() -> None:
    """Send a test message and say which targets took it. Exit code 0: all of them."""
    from orchestration.automation.notify import TEST
    from orchestration.automation.targets import send, targets

    to = targets(settings())
    if not to:
        raise click.ClickException(
            "no target: set BIOLOUPE_ALERT_URLS, for example to slack://tokenA/tokenB/tokenC, mailtos://user:password@"
            "example.org or jsons://example.org/hook (https://appriseit.com/services/)"
        )
    deliveries = send(TEST, to)
    for delivery in deliveries:
        took = click.style("took it", fg="green") if not delivery.error else click.style("failed", fg="red")
        click.echo(f"target {delivery.target}: {took}{f': {delivery.error}' if delivery.error else ''}")
    sys.exit(1 if any(delivery.error for delivery in deliveries) else 0)
