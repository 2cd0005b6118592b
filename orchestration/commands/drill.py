"""`bioloupe drill`: the failure drill."""

import sys
import time

import click
from rich.console import Console
from rich.markup import escape

from orchestration.settings import settings

NAMES = ("full-budget", "registry-down", "bad-night", "killed-run")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="These scenarios alone; again for more.")
@click.option("--studies", type=click.IntRange(100), default=300, show_default=True, help="Size of its registry.")
@click.option("--keep", is_flag=True, help="Leave the installation in place, to look at it.")
def drill(only: tuple[str, ...], studies: int, keep: bool) -> None:
    """Break an installation on purpose, and see that it answers as README promises.

    Registry down, a bad night of data, a killed run, a spent budget: each must end with its alert, its block and its
    recovery. It happens in a throw-away installation beside yours (own Postgres, registry, alert receiver; the
    language model is the one you use), so nothing of yours is touched and nobody is alerted. Takes about six
    minutes on two cores. Exit code 0: everything held.
    """
    from orchestration.drill.house import House
    from orchestration.drill.scenarios import SCENARIOS

    console = Console(highlight=False)
    broken, began = 0, time.monotonic()
    with House(settings(), studies, keep) as house:
        console.print(f"[bold]bioloupe drill[/] in {house.folder}")
        for scenario in SCENARIOS:
            if not only or scenario.name in only:
                console.print(f"\n[bold]{scenario.title}[/]")
                for claim in scenario.play(house):
                    broken += not claim.held
                    mark = "[green]✓[/]" if claim.held else "[red]✗[/]"
                    console.print(f"  {mark} {escape(claim.promise)}")
                    if claim.seen and (claim.shown or not claim.held):
                        console.print(f"      [dim]{escape(claim.seen.strip())}[/]")
    console.print(f"\n{'everything held' if not broken else f'[red]{broken} did not hold[/]'}", end=" ")
    console.print(f"({time.monotonic() - began:,.0f} s)" + (f"; kept: {house.folder}" if keep else ""))
    sys.exit(1 if broken else 0)
