"""An export that is under way, as a Dagster resource: the ops of one run share its snapshot and its directory."""

from pathlib import Path
from typing import Any

from dagster import ConfigurableResource, EnvVar, InitResourceContext
from pydantic import PrivateAttr

from orchestration.export.errors import ExportError
from orchestration.export.options import Options, chosen_formats
from orchestration.export.session import Export
from orchestration.settings import Settings


class ExportResource(ConfigurableResource[Any]):
    """Holds the run's export. A run in one process opens and closes it once, however the run ends.

    Each retried op finds the export as it was. Where steps run in processes of their own there is none to find: a
    snapshot is held by one session, so the job `export` always runs in one process.
    """

    url: str = EnvVar("DATABASE_URL")
    _export: Export | None = PrivateAttr(None)

    def start(self, options: Options, run_id: str) -> Export:
        """Close what an attempt that failed left open, and make the run's export, which holds nothing yet."""
        self._close()
        self._export = Export(self.url, options, run_id)
        return self._export

    @property
    def current(self) -> Export:
        """The run's export. Raises ExportError where another process, or an earlier run, has begun it."""
        if self._export is None:
            raise ExportError(
                "no snapshot is held in this process: an export is made from its beginning, in one process. "
                "Launch the job `export`, or run it again with all its steps."
            )
        return self._export

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        self._close()

    def _close(self) -> None:
        if self._export is not None:
            self._export.close()
            self._export = None


def options(config: Settings, to: str | None, formats: list[str], keep: int | None, tables: list[str]) -> Options:
    """What a run was asked for, with the settings for what it was not. Raises ExportError for what does not exist."""
    directory = Path(to).expanduser().absolute() if to else config.exports
    if tables and directory == config.exports:
        raise ExportError(
            f"{directory} always holds every table, so that its `latest` can be relied upon: give --to with --tables"
        )
    return Options(directory, chosen_formats(formats), keep or config.export_keep, tuple(tables))
