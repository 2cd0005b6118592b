"""What reads one batch for dlt, and writes where it stands into dlt's state: one reader for each kind of load."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.crawl import Crawl, FoundBy, filter_query, next_crawl
from ingest.clinicaltrials_gov.extract import Batch, BatchLimits, Counts, Position
from ingest.clinicaltrials_gov.fetch import Fetcher
from ingest.clinicaltrials_gov.pages import CrawlPages, IdPages, WindowPages
from ingest.clinicaltrials_gov.sweep import Sweep
from ingest.clinicaltrials_gov.warehouse import Warehouse
from ingest.clinicaltrials_gov.windows import Windows

STATE_KEY = "crawl"
OnPage = Callable[[Position, Counts], None]


@dataclass
class Reconciled:
    """What the comparison of ids left to be read one by one, and how many studies the registry has."""

    missing: list[str] = field(default_factory=list)
    total: int | None = None


@dataclass
class CrawlReader:
    """Reads on from where the crawl of a registry stands; `registry` is its name.

    Without a warehouse, nothing is compared before the merge.
    """

    client: RegistryClient
    fetcher: Fetcher
    registry: str
    scope: str | None = None
    full: bool = False
    found_by: FoundBy = "nightly"
    warehouse: Warehouse | None = None
    reconciled: Reconciled | None = None
    limits: BatchLimits | None = None
    on_page: OnPage | None = None

    def read(self, state: dict[str, Any], spool: Path, load_id: str) -> dict[str, list[Any]] | None:
        previous, version = Crawl.from_state(state.get(STATE_KEY)), self.client.version
        crawl = next_crawl(previous, self.registry, self.scope, version, full=self.full, found_by=self.found_by)
        if crawl is None:
            return None
        missing = self.reconciled.missing if self.reconciled else []
        pages = IdPages(self.client, missing) if crawl.phase == "reconcile" else CrawlPages(self.fetcher, crawl)
        batch = Batch(pages, crawl, spool, load_id, warehouse=self.warehouse, limits=self.limits, on_page=self.on_page)
        rows: dict[str, list[Any]] = {**batch.read()}
        if not batch.has_more():
            total = self.reconciled.total if self.reconciled else self.client.total(filter_query(self.scope))
            crawl.studies_total = total
            crawl.end_phase(reconcile=not batch.agrees_with(total))
        if crawl.phase == "complete":
            rows["registry_versions"] = [_version_row(crawl, self.client.api_url)]
        state[STATE_KEY] = {**crawl.to_state(), "batch": asdict(batch.counts)}
        return rows


@dataclass
class WindowReader:
    """Reads on from where `windows` stands, which the state holds from the first batch on."""

    windows: Windows
    fetcher: Fetcher
    warehouse: Warehouse
    limits: BatchLimits
    on_page: OnPage

    def read(self, state: dict[str, Any], spool: Path, load_id: str) -> dict[str, list[Any]]:
        pages = WindowPages(self.fetcher, self.windows)
        batch = Batch(
            pages, self.windows, spool, load_id, warehouse=self.warehouse, limits=self.limits, on_page=self.on_page
        )
        rows: dict[str, list[Any]] = {**batch.read()}
        state[STATE_KEY] = {**self.windows.to_state(), "batch": asdict(batch.counts)}
        return rows


@dataclass
class SweepReader:
    """Reads on from where `sweep` stands; the ids of what is read are kept in the warehouse."""

    sweep: Sweep
    fetcher: Fetcher
    warehouse: Warehouse
    limits: BatchLimits
    on_page: OnPage

    def read(self, state: dict[str, Any], spool: Path, load_id: str) -> dict[str, list[Any]]:
        batch = Batch(
            CrawlPages(self.fetcher, self.sweep),
            self.sweep,
            spool,
            load_id,
            warehouse=self.warehouse,
            limits=self.limits,
            on_page=self.on_page,
            on_ids=lambda ids: self.warehouse.keep_ids(self.sweep.began_at, ids),
        )
        rows: dict[str, list[Any]] = {**batch.read()}
        self.sweep.rejected += batch.counts.rejected
        if not batch.has_more():
            self.sweep.end_phase(reconcile=True)
        state[STATE_KEY] = {**self.sweep.to_state(), "batch": asdict(batch.counts)}
        return rows


def _version_row(crawl: Crawl, api_url: str) -> dict[str, Any]:
    """The row of `registry_versions` that a finished load leaves."""
    return {
        "data_timestamp": crawl.data_timestamp,
        "api_version": crawl.api_version,
        "observed_at": datetime.now(timezone.utc),
        "studies_total": crawl.studies_total,
        "scope": crawl.scope,
        "api_url": api_url,
    }
