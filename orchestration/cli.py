"""The `bioloupe` command. Subcommands are imported when they are called, so that `bioloupe db url` stays quick."""

import importlib
import sys
from difflib import get_close_matches

import click

COMMANDS = {
    "refresh": "orchestration.commands.refresh:refresh",
    "ui": "orchestration.commands.ui:ui",
    "serve": "orchestration.commands.serve:serve",
    "status": "orchestration.commands.status:status",
    "brief": "orchestration.commands.brief:brief",
    "branch": "orchestration.commands.branch:branch",
    "db": "orchestration.commands.db:db",
    "sandbox": "orchestration.commands.sandbox:sandbox",
    "enrich": "orchestration.commands.enrich:enrich",
    "checks": "orchestration.commands.checks:checks",
    "backfill": "orchestration.commands.backfill:backfill",
    "reconcile": "orchestration.commands.reconcile:reconcile",
    "export": "orchestration.commands.export:export",
    "drill": "orchestration.commands.drill:drill",
    "alerts": "orchestration.commands.alerts:alerts",
    "watch": "orchestration.commands.watch:watch",
    "catalysts": "orchestration.commands.catalysts:catalysts",
}


class LazyGroup(click.Group):
    """A click group that imports a subcommand's module only when that subcommand is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, which can suggest no command that it has not imported."""
        name = args[0]
        near = [] if name in COMMANDS or ctx.resilient_parsing else get_close_matches(name, COMMANDS, n=1)
        if near:
            ctx.fail(f"No such command {name!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bioloupe-data")
def bioloupe() -> None:
    """A warehouse of clinical trials, refreshed every night.

    Start with `bioloupe refresh`: it starts what is not configured (Postgres, a language model, a synthetic
    registry), loads, models and reads, and says what changed. Configuration: environment variables, see README.md.
    """


def main() -> None:
    """Run the command; a wrong setting is one clear line on stderr and exit code 2."""
    from orchestration.settings import ConfigurationError

    try:
        bioloupe()
    except ConfigurationError as error:
        click.secho(f"bioloupe: {error}", fg="red", err=True)
        sys.exit(2)
