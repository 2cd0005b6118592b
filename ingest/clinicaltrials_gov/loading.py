"""What every load does: read a batch, write it in turn with other loads, say how far it is, go on where it was."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import dlt
from dlt.common.pipeline import LoadInfo

from ingest import pipelines
from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.extract import BatchLimits, Counts, Position
from ingest.clinicaltrials_gov.fetch import Fetcher
from ingest.clinicaltrials_gov.readers import STATE_KEY
from ingest.clinicaltrials_gov.source import NAME, Reader, clinicaltrials_gov
from ingest.clinicaltrials_gov.warehouse import DATASET, Warehouse, open_warehouse

log = logging.getLogger(__name__)

Phase = Literal["extract", "load", "sweep"]
# For a killed process whose last statement is still running.
LOCK_WAIT_SECONDS = 15.0


@dataclass(frozen=True)
class LoadProgress:
    """How far a load is. `studies` of `total` (None: unknown) are read; `counts` and `seconds` are since its start."""

    phase: Phase
    studies: int
    total: int | None
    counts: Counts
    batches: int
    seconds: float


@dataclass(frozen=True)
class BatchSummary:
    """One committed batch. `recovered`: a killed run had extracted it."""

    number: int
    counts: Counts
    crawl_phase: str
    recovered: bool = False


@dataclass
class LoadSummary:
    """What a load did, complete when it has ended.

    `difference` is how many studies the registry has more than the warehouse, None where it does not tell.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    returned: int = 0
    rejected: int = 0
    pages: int = 0
    bytes: int = 0
    batches: int = 0
    seconds: float = 0.0
    data_timestamp: str | None = None
    studies_total: int | None = None
    difference: int | None = None
    nothing_to_do: bool = False
    resumed: bool = False

    @property
    def studies(self) -> int:
        """Records read, whatever became of them."""
        return self.new + self.changed + self.unchanged + self.returned + self.rejected

    @property
    def rate(self) -> float:
        """Records read per second."""
        return self.studies / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        of = f"registry data of {self.data_timestamp or 'an unknown time'}"
        if self.nothing_to_do:
            return f"{of} is loaded already: nothing to do"
        return (
            f"{of}: {self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged, {self.gone:,} gone, "
            f"{self.returned:,} returned, {self.rejected:,} rejected in {self.seconds:,.1f} s"
        )


@dataclass
class Loading(ABC):
    """One load of one registry. `batches()` does the work; `summary` says, during and after it, what was done.

    `registry` names what is behind `api_url` where its address changes from load to load (None: the URL itself).
    `backoff` is how many seconds a failed request waits before it is made again, and twice as long each time.
    `pages_at_once` is how many pages of 25-35 MB are held: one is worked on while the others are fetched.
    """

    api_url: str
    database_url: str
    pipelines_dir: Path
    scope: str | None = None
    requests_per_minute: float | None = None
    progress: Callable[[LoadProgress], None] | None = None
    registry: str | None = None
    limits: BatchLimits = field(default_factory=BatchLimits)
    client: RegistryClient | None = None
    pages_at_once: int = 2
    backoff: float = 1.0
    summary: LoadSummary = field(default_factory=LoadSummary, init=False)
    pipeline: dlt.Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.scope = self.scope or None
        self._client = self.client or RegistryClient(
            self.api_url, requests_per_minute=self.requests_per_minute, backoff=self.backoff
        )
        self._fetcher = Fetcher(self._client, self.pages_at_once)
        self.pipeline = pipelines.pipeline(self.pipeline_name, DATASET, self.database_url, self.pipelines_dir)
        self._counts = Counts()
        self._began = time.monotonic()

    @property
    def pipeline_name(self) -> str:
        """Name of the dlt pipeline, whose state says where the load stands; one process at a time may use it."""
        return NAME

    @property
    def registry_name(self) -> str:
        return self.registry or self.api_url

    def run(self) -> LoadSummary:
        """Load; see `batches`."""
        for _ in self.batches():
            pass
        return self.summary

    def batches(self) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        """Load; yields after each batch that is committed. Raises RegistryError, LoadInProgress, dlt's errors."""
        self._began = time.monotonic()
        url = pipelines.libpq_url(self.database_url)
        with open_warehouse(url, self.pipeline_name, LOCK_WAIT_SECONDS) as warehouse:
            warehouse.ensure_tables()
            recovered = self._recover(warehouse)
            if recovered is not None:
                yield recovered, self._committed(recovered=True)
            yield from self._work(warehouse)
        self.summary.seconds = time.monotonic() - self._began
        log.info("%s", self.summary)

    @abstractmethod
    def _work(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        """Read and commit until done."""

    def _recover(self, warehouse: Warehouse) -> LoadInfo | None:
        """Load what a killed run had extracted, unless another load has used the tables that its rows wait in."""
        with warehouse.writing():
            return pipelines.recover(self.pipeline, warehouse.state_hash, warehouse.staging_is_ours)

    def _run(self, warehouse: Warehouse, reader: Reader) -> LoadInfo:
        """Extract one batch beside other loads, and commit it in turn with them."""
        pipelines.mark_start(self.pipeline, warehouse.state_hash())
        self.pipeline.extract(clinicaltrials_gov(self.api_url, client=self._client, reader=reader))
        self.pipeline.normalize()
        with warehouse.writing():
            warehouse.use_staging()
            info = self.pipeline.load()
        info.raise_on_failed_jobs()
        return info

    def _state(self) -> dict[str, Any] | None:
        """Where the load stands, as the warehouse has it."""
        state: dict[str, Any] | None = self.pipeline.state.get("sources", {}).get(NAME, {}).get(STATE_KEY)
        return state

    def _committed(self, recovered: bool = False) -> BatchSummary:
        """Count in the batch whose state the warehouse has now."""
        position = self._position()
        assert position is not None
        counts = Counts(**position.batch)
        self._counts += counts
        for name, number in asdict(counts).items():
            setattr(self.summary, name, getattr(self.summary, name) + number)
        self.summary.batches += 1
        self._report("load", position.studies_read, position.studies_expected, Counts())
        return BatchSummary(self.summary.batches, counts, position.phase, recovered)

    @abstractmethod
    def _position(self) -> Any:
        """The committed position: a Crawl, a Sweep, Windows; None before the first batch."""

    def _report_page(self, position: Position, counts: Counts) -> None:
        self._report("extract", position.studies_read, position.studies_expected, counts)

    def _report(self, phase: Phase, studies: int, total: int | None, batch: Counts) -> None:
        if self.progress:
            seconds = time.monotonic() - self._began
            self.progress(LoadProgress(phase, studies, total, self._counts + batch, self.summary.batches, seconds))
