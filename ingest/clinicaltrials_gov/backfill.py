"""Load windows of the registry beside the nightly crawl: missed nights, the registry month by month, one study type."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlt.common.pipeline import LoadInfo

from ingest.clinicaltrials_gov.crawl import FoundBy, filter_query
from ingest.clinicaltrials_gov.extract import BatchLimits
from ingest.clinicaltrials_gov.loading import BatchSummary, Loading
from ingest.clinicaltrials_gov.readers import WindowReader
from ingest.clinicaltrials_gov.source import NAME
from ingest.clinicaltrials_gov.warehouse import Warehouse
from ingest.clinicaltrials_gov.windows import WindowKind, Windows, expression, request_name, spans

# What a killed load had extracted is of use for as long as somebody may start it again.
_ABANDONED_AFTER_SECONDS = 7 * 86_400
# Requests that only count.
_MOST_COUNTS = 8


@dataclass
class WindowLoad(Loading):
    """Loads the windows `keys` of one kind into the same tables, and leaves the nightly crawl's position alone.

    The same windows asked for again go on where they were; others may be loaded at the same time by another process.
    Nothing is marked as gone: a window cannot tell. When done, `found` holds for each window the number of `studies`
    in it, and how many of them were `new` and `changed`. Raises ValueError for a key that names no window.
    """

    kind: WindowKind = "update_day"
    keys: Sequence[str] = ()
    limits: BatchLimits = field(default_factory=lambda: BatchLimits(pages=60))
    pages_at_once: int = 4
    found: dict[str, dict[str, int]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for key in self.keys:
            expression(self.kind, key)
        super().__post_init__()

    @property
    def pipeline_name(self) -> str:
        return f"{NAME}_{request_name(self.kind, self.keys)}"

    def _work(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        windows = self._windows(warehouse)
        while windows.left:
            reader = WindowReader(windows, self._fetcher, warehouse, self.limits, self._report_page)
            info = self._run(warehouse, reader)
            yield info, self._committed()
            windows = self._position() or windows
        self.found = windows.found
        self._tidy()

    def _position(self) -> Windows | None:
        return Windows.from_state(self._state())

    def _windows(self, warehouse: Warehouse) -> Windows:
        """The loading that was begun, or a new one."""
        version = self._client.version
        self.summary.data_timestamp = version.data_timestamp
        begun = self._position()
        if begun and begun.left and (begun.registry, begun.scope) == (self.registry_name, self.scope):
            self.summary.resumed = True
            return begun
        # Until the registry was read whole once, nobody can say that a study appeared in it.
        found_by: FoundBy = "backfill" if warehouse.was_loaded_whole() else "first_load"
        left: dict[str, str | None] = dict.fromkeys(self.keys)
        timestamp, api_version = version.data_timestamp, version.api_version
        windows = Windows(self.kind, self.registry_name, self.scope, timestamp, api_version, left, found_by)
        windows.total = self._count()
        return windows

    def _count(self) -> int | None:
        """How many studies the windows hold, where a few requests tell: so that a load can say how much is left."""
        expressions = spans(self.kind, self.keys)
        if len(expressions) > _MOST_COUNTS:
            return None
        totals = [self._client.total(filter_query(self.scope, text)) for text in expressions]
        return None if None in totals else sum(total or 0 for total in totals)

    def _tidy(self) -> None:
        """Remove the working files of this load, which is done, and those that killed ones have left long ago."""
        own = Path(self.pipeline.working_dir)
        for directory in own.parent.glob(f"{NAME}_{self.kind}_*"):
            if directory == own or time.time() - directory.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                shutil.rmtree(directory, ignore_errors=True)
