"""Load the registry into the warehouse: batch after batch, resumable at any point, with vanished studies marked."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import dlt
from dlt.common.pipeline import LoadInfo

from ingest import pipelines
from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.crawl import Crawl, FoundBy, filter_query, next_crawl
from ingest.clinicaltrials_gov.extract import BatchLimits, Counts, Reconciled
from ingest.clinicaltrials_gov.source import NAME, STATE_KEY, clinicaltrials_gov
from ingest.clinicaltrials_gov.studies import study_id
from ingest.clinicaltrials_gov.warehouse import DATASET, Warehouse, open_warehouse

log = logging.getLogger(__name__)

Phase = Literal["extract", "load", "sweep"]
# Reading the ids of 50,000 studies is 50 requests: a minute at the public host's rate.
SWEEP_LIMIT = 50_000


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

    def __str__(self) -> str:
        of = f"registry data of {self.data_timestamp or 'an unknown time'}"
        if self.nothing_to_do:
            return f"{of} is loaded already: nothing to do"
        return (
            f"{of}: {self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged, {self.gone:,} gone, "
            f"{self.returned:,} returned, {self.rejected:,} rejected in {self.seconds:,.1f} s"
        )


@dataclass
class StudyLoad:
    """One load of one registry. `batches()` does the work; `summary` says, during and after it, what was done.

    `registry` names what is behind `api_url` where its address changes from load to load (None: the URL itself):
    another registry or scope is crawled from the start. `full` reads everything again, which also finds what changed
    without a new update date. `sweep_limit`: up to how many studies a registry's ids are compared one by one.
    `found_by` is written beside each row that a load other than the first of a registry writes.
    """

    api_url: str
    database_url: str
    pipelines_dir: Path
    scope: str | None = None
    requests_per_minute: float | None = None
    full: bool = False
    progress: Callable[[LoadProgress], None] | None = None
    registry: str | None = None
    limits: BatchLimits = field(default_factory=BatchLimits)
    sweep_limit: int = SWEEP_LIMIT
    found_by: FoundBy = "nightly"
    client: RegistryClient | None = None
    summary: LoadSummary = field(default_factory=LoadSummary, init=False)
    pipeline: dlt.Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.scope = self.scope or None
        self._client = self.client or RegistryClient(self.api_url, requests_per_minute=self.requests_per_minute)
        self.pipeline = pipelines.pipeline(NAME, DATASET, self.database_url, self.pipelines_dir)
        self._counts = Counts()
        self._began = time.monotonic()

    def batches(self) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        """Load; yields after each batch that is committed. Raises RegistryError, LoadInProgress, dlt's errors."""
        self._began = time.monotonic()
        with open_warehouse(pipelines.libpq_url(self.database_url)) as warehouse:
            warehouse.ensure_tables()
            recovered = pipelines.recover(self.pipeline, lambda: warehouse.state_hash(NAME))
            if recovered is not None:
                yield recovered, self._committed(recovered=True)
            yield from self._crawls(warehouse)
            if self.summary.studies_total is not None:
                self.summary.difference = self.summary.studies_total - warehouse.accounted_studies()
        self.summary.nothing_to_do = self.summary.batches == 0
        self.summary.seconds = time.monotonic() - self._began
        log.info("%s", self.summary)

    def _crawls(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        """Finish the crawl that was begun, then read what has changed since its version of the data."""
        empty = warehouse.is_empty()
        full = self.full or empty
        found_by: FoundBy = "first_load" if empty else self.found_by
        resumed = True
        while resumed and (crawl := self._next_crawl(full, found_by)) is not None:
            resumed = crawl == self._crawl()
            self.summary.resumed |= resumed
            reconciled = None
            while crawl.phase != "complete":
                if crawl.phase == "reconcile" and reconciled is None:
                    reconciled = self._reconcile(warehouse, crawl.found_by)
                info = self._run(warehouse, reconciled, full, found_by)
                full, found_by = False, self.found_by
                yield info, self._committed()
                crawl = self._crawl() or crawl

    def _crawl(self) -> Crawl | None:
        """Where the crawl stands, as the warehouse has it."""
        sources = self.pipeline.state.get("sources", {})
        return Crawl.from_state(sources.get(NAME, {}).get(STATE_KEY))

    def _next_crawl(self, full: bool, found_by: FoundBy) -> Crawl | None:
        version = self._client.version
        self.summary.data_timestamp = version.data_timestamp
        registry = self.registry or self.api_url
        return next_crawl(self._crawl(), registry, self.scope, version, full=full, found_by=found_by)

    def _run(self, warehouse: Warehouse, reconciled: Reconciled | None, full: bool, found_by: FoundBy) -> LoadInfo:
        """Extract and commit one batch."""
        pipelines.mark_start(self.pipeline, warehouse.state_hash(NAME))
        source = clinicaltrials_gov(
            self.api_url,
            scope=self.scope,
            registry=self.registry,
            full=full,
            found_by=found_by,
            client=self._client,
            warehouse=warehouse,
            reconciled=reconciled,
            limits=self.limits,
            on_page=self._report_page,
        )
        info = self.pipeline.run(source)
        info.raise_on_failed_jobs()
        return info

    def _reconcile(self, warehouse: Warehouse, found_by: FoundBy) -> Reconciled:
        """Compare the registry's studies with the warehouse's; mark those that vanished or came back."""
        query = filter_query(self.scope)
        total = self._client.total(query)
        if total is None or total == warehouse.accounted_studies():
            return Reconciled(total=total)
        if total > self.sweep_limit:
            log.warning("the registry has %s studies, the warehouse another number: too many to compare", f"{total:,}")
            return Reconciled(total=total)
        if self._collect_ids(warehouse, query, total) < total:
            log.warning("the registry gave fewer ids than the %s it counts: nothing is marked as gone", f"{total:,}")
            return Reconciled(total=total)
        sweep = warehouse.sweep(found_by)
        self.summary.gone += sweep.gone
        self.summary.returned += sweep.returned
        return Reconciled(sweep.missing, total)

    def _collect_ids(self, warehouse: Warehouse, query: dict[str, str], total: int) -> int:
        """Hand the ids of all studies in scope to the warehouse; returns how many records there were."""
        warehouse.forget_ids()
        token, read = None, 0
        while True:
            page = self._client.page({**query, "fields": "NCTId", "sort": "NCTId:asc"}, token)
            ids = [study_id(raw) for raw in page.studies()]
            warehouse.add_ids([nct_id for nct_id in ids if nct_id])
            read += len(ids)
            self._report("sweep", read, total, Counts())
            if (token := page.next_token) is None:
                return read

    def _committed(self, recovered: bool = False) -> BatchSummary:
        """Count in the batch whose state the warehouse has now."""
        crawl = self._crawl()
        assert crawl is not None
        counts = Counts(**crawl.batch)
        self._counts += counts
        for name, number in asdict(counts).items():
            setattr(self.summary, name, getattr(self.summary, name) + number)
        self.summary.batches += 1
        self.summary.studies_total = crawl.studies_total
        self._report("load", crawl.studies_read, crawl.studies_expected, Counts())
        return BatchSummary(self.summary.batches, counts, crawl.phase, recovered)

    def _report_page(self, crawl: Crawl, counts: Counts) -> None:
        self._report("extract", crawl.studies_read, crawl.studies_expected, counts)

    def _report(self, phase: Phase, studies: int, total: int | None, batch: Counts) -> None:
        if self.progress:
            seconds = time.monotonic() - self._began
            self.progress(LoadProgress(phase, studies, total, self._counts + batch, self.summary.batches, seconds))


def load_batches(
    api_url: str, database_url: str, pipelines_dir: Path, **options: Any
) -> Iterator[tuple[LoadInfo, BatchSummary]]:
    """The batches of a StudyLoad, which takes the same arguments."""
    return StudyLoad(api_url, database_url, pipelines_dir, **options).batches()


def load(
    api_url: str,
    database_url: str,
    pipelines_dir: Path,
    *,
    scope: str | None = None,
    requests_per_minute: float | None = None,
    full: bool = False,
    progress: Callable[[LoadProgress], None] | None = None,
    **options: Any,
) -> LoadSummary:
    """Load what has changed in the registry since the last load; everything, the first time. See StudyLoad."""
    study_load = StudyLoad(api_url, database_url, pipelines_dir, scope, requests_per_minute, full, progress, **options)
    for _ in study_load.batches():
        pass
    return study_load.summary
