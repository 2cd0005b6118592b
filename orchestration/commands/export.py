"""`bioloupe export`: the job `export` in this terminal, and a check of what was published."""

import sys
from pathlib import Path

import click

from orchestration.commands.refresh import terminal_to_itself
from orchestration.settings import ConfigurationError, settings

FORMATS = "flat,parquet,dump"


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


@click.group(invoke_without_command=True)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory to publish in. [default: BIOLOUPE_EXPORT_DIR, else exports/ in BIOLOUPE_HOME]",
)
@click.option("--format", "formats", default=FORMATS, show_default=True, callback=_names, help="What to write.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="How many exports to keep there, this one included. [default: BIOLOUPE_EXPORT_KEEP, else 3]",
)
@click.option(
    "--tables", callback=_names, help="Only these, such as studies,analytics.dim_trials. Needs --to. [default: all]"
)
@click.pass_context
def export(context: click.Context, to: Path | None, formats: list[str], keep: int | None, tables: list[str]) -> None:
    """Write every table of ctgov and analytics to files, check them, publish them at once.

    \b
    flat     AACT's pipe-delimited files: a zip per schema, <table>.txt in it, with a header.
             A value with a pipe, a quote or a line break stands in double quotes, a quote in it
             is doubled; NULL is nothing, the empty string is "". Read back by
             \\copy … with (format csv, delimiter '|', header)
    parquet  <schema>/<table>.parquet, typed: dates, timestamps, decimals, lists.
    dump     pg_dump's custom format, for pg_restore.

    All are of one moment of the database. They are written aside, read back, compared with it row count by row count,
    and appear in one step as DIR/<time> and DIR/latest, with manifest.json (rows, columns, checksums, the registry's
    timestamp) and SHA256SUMS. Whatever fails or is killed leaves the published exports as they were; run it again.

    It is the job `export` of `bioloupe ui`, run here and recorded there. Exit code 0: published.
    """
    if context.invoked_subcommand is not None:
        return
    # `verify` has none of these; for the run, a relative path is of this directory.
    config = {"to": str(to.expanduser().absolute()) if to else None, "formats": formats, "tables": tables, "keep": keep}
    if settings().branch:
        raise ConfigurationError("BIOLOUPE_ENV=staging: what is exported is the shared warehouse, not a branch's")
    log = settings().home / "logs" / "export.log"
    with terminal_to_itself(log) as console:
        # Imported here: Dagster takes seconds to load, and its output belongs to the log.
        from orchestration.commands.export_view import run_and_show

        published = run_and_show(console, settings(), {k: v for k, v in config.items() if v is not None}, log)
    sys.exit(0 if published else 1)


@export.command()
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
def verify(directory: Path | None) -> None:
    """Read a published export again and compare it with its manifest.

    DIRECTORY is one export, or a directory that exports are published in (its `latest` is taken). [default:
    BIOLOUPE_EXPORT_DIR] Checks that no file is missing, added or changed (SHA-256), that every file can be read to its
    end and holds the rows and columns that the manifest tells. Exit code 0: all is as published, 1: something is not.
    """
    from orchestration.commands.export_verify import verify_and_show
    from orchestration.export.errors import ExportError

    try:
        sound = verify_and_show(directory or settings().exports)
    except ExportError as error:
        raise click.ClickException(str(error)) from None
    sys.exit(0 if sound else 1)
