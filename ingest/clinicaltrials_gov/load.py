"""The nightly load: what has changed in the registry since the last one, with vanished studies marked."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.common.pipeline import LoadInfo

from ingest.clinicaltrials_gov.crawl import Crawl, FoundBy, filter_query, next_crawl
from ingest.clinicaltrials_gov.extract import Counts
from ingest.clinicaltrials_gov.loading import BatchSummary, Loading, LoadSummary
from ingest.clinicaltrials_gov.readers import CrawlReader, Reconciled
from ingest.clinicaltrials_gov.studies import study_id
from ingest.clinicaltrials_gov.warehouse import Warehouse

log = logging.getLogger(__name__)

# Reading the ids of 50,000 studies is 50 requests: a minute at the public host's rate.
SWEEP_LIMIT = 50_000


@dataclass
class StudyLoad(Loading):
    """The load of every night; the first one reads everything.

    Another registry or scope than the last time is crawled from the start. `full` reads everything again, which also
    finds what changed without a new update date. `sweep_limit`: up to how many studies a registry's ids are compared
    one by one. `found_by` is written beside each row that a load other than the first of a registry writes.
    """

    full: bool = False
    sweep_limit: int = SWEEP_LIMIT
    found_by: FoundBy = "nightly"

    def _work(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        yield from self._crawls(warehouse)
        if self.summary.studies_total is not None:
            self.summary.difference = self.summary.studies_total - warehouse.accounted_studies()
        self.summary.nothing_to_do = self.summary.batches == 0
        if self.summary.nothing_to_do:
            warehouse.seen_again()

    def _crawls(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        """Finish the crawl that was begun, then read what has changed since its version of the data."""
        empty = warehouse.is_empty()
        full = self.full or empty
        found_by: FoundBy = "first_load" if empty else self.found_by
        resumed = True
        while resumed and (crawl := self._next_crawl(full, found_by)) is not None:
            resumed = crawl == self._position()
            self.summary.resumed |= resumed
            reconciled = None
            while crawl.phase != "complete":
                if crawl.phase == "reconcile" and reconciled is None:
                    reconciled = self._reconcile(warehouse, crawl.found_by)
                info = self._run(warehouse, self._reader(warehouse, reconciled, full, found_by))
                full, found_by = False, self.found_by
                yield info, self._committed()
                crawl = self._position() or crawl

    def _position(self) -> Crawl | None:
        return Crawl.from_state(self._state())

    def _committed(self, recovered: bool = False) -> BatchSummary:
        crawl = self._position()
        self.summary.studies_total = crawl.studies_total if crawl else None
        return super()._committed(recovered)

    def _next_crawl(self, full: bool, found_by: FoundBy) -> Crawl | None:
        version = self._client.version
        self.summary.data_timestamp = version.data_timestamp
        return next_crawl(self._position(), self.registry_name, self.scope, version, full=full, found_by=found_by)

    def _reader(
        self, warehouse: Warehouse, reconciled: Reconciled | None, full: bool, found_by: FoundBy
    ) -> CrawlReader:
        return CrawlReader(
            self._client,
            self._fetcher,
            self.registry_name,
            self.scope,
            full,
            found_by,
            warehouse=warehouse,
            reconciled=reconciled,
            limits=self.limits,
            on_page=self._report_page,
        )

    def _reconcile(self, warehouse: Warehouse, found_by: FoundBy) -> Reconciled:
        """Compare the registry's studies with the warehouse's; mark those that vanished or came back."""
        query, began = filter_query(self.scope), warehouse.next_time()
        total = self._client.total(query)
        if total is None or total == warehouse.accounted_studies():
            return Reconciled(total=total)
        if total > self.sweep_limit:
            log.warning(
                "the registry has %s studies, the warehouse another number: too many to compare every night; "
                "`bioloupe reconcile` does",
                f"{total:,}",
            )
            return Reconciled(total=total)
        if self._collect_ids(warehouse, query, total) < total:
            log.warning("the registry gave fewer ids than the %s it counts: nothing is marked as gone", f"{total:,}")
            return Reconciled(total=total)
        sweep = warehouse.sweep(found_by, began)
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


def load_batches(
    api_url: str, database_url: str, pipelines_dir: Path, **options: Any
) -> Iterator[tuple[LoadInfo, BatchSummary]]:
    """The batches of a StudyLoad, which takes the same arguments."""
    return StudyLoad(api_url, database_url, pipelines_dir, **options).batches()


def load(api_url: str, database_url: str, pipelines_dir: Path, **options: Any) -> LoadSummary:
    """Load what has changed in the registry since the last load; everything, the first time. See StudyLoad."""
    return StudyLoad(api_url, database_url, pipelines_dir, **options).run()
