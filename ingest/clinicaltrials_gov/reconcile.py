"""Read the whole registry and compare it with the warehouse: what loading by date misses is loaded and reported."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from dlt.common.pipeline import LoadInfo

from ingest.clinicaltrials_gov.crawl import OVERLAP, FoundBy, day_of, filter_query
from ingest.clinicaltrials_gov.extract import Counts
from ingest.clinicaltrials_gov.loading import BatchSummary, Loading
from ingest.clinicaltrials_gov.pages import IDS_PER_REQUEST
from ingest.clinicaltrials_gov.readers import SweepReader
from ingest.clinicaltrials_gov.source import NAME
from ingest.clinicaltrials_gov.studies import study_id
from ingest.clinicaltrials_gov.sweep import (
    EXAMPLES_OF_A_KIND,
    GONE,
    MISSED_CHANGE,
    MISSED_NEW,
    NOT_DUE,
    RETURNED,
    SILENT_CHANGE,
    Sweep,
)
from ingest.clinicaltrials_gov.warehouse import Warehouse

log = logging.getLogger(__name__)

# A registry that counts more than it gives by this share was not read whole.
SHORTFALL = 0.01
# Of few studies even a large share may vanish.
ALWAYS_BELIEVED = 20


@dataclass(frozen=True)
class Reconciliation:
    """What one sweep found: a row of `raw_ctgov.reconciliations`.

    `missed_new`, `missed_changes`: nightly loading should have found them by their date; `silent_changes` have none;
    `not_due`: the next nightly load would have found them. `held_back`: ours that the registry did not give, but that
    are not marked as gone; `note` says why. `examples`: [kind, nct_id, our date, the registry's date].
    """

    began_at: datetime
    data_timestamp: str | None
    api_url: str
    scope: str | None
    studies_total: int | None
    studies_read: int
    missed_new: int
    missed_changes: int
    silent_changes: int
    not_due: int
    gone: int
    returned: int
    rejected: int
    held_back: int
    note: str | None
    examples: list[list[str]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Column to value."""
        row = asdict(self)
        del row["examples"]
        return row


@dataclass
class Reconcile(Loading):
    """One sweep over the whole registry, whatever its size. A killed one goes on where it was.

    `most_gone`: where a larger share of our studies is absent, the registry is not believed and none is marked.
    """

    most_gone: float = 0.1
    result: Reconciliation | None = field(default=None, init=False)

    @property
    def pipeline_name(self) -> str:
        return f"{NAME}_reconcile"

    def _position(self) -> Sweep | None:
        return Sweep.from_state(self._state())

    def _work(self, warehouse: Warehouse) -> Iterator[tuple[LoadInfo, BatchSummary]]:
        sweep = self._sweep(warehouse)
        while sweep.legs:
            reader = SweepReader(sweep, self._fetcher, warehouse, self.limits, self._report_page)
            info = self._run(warehouse, reader)
            yield info, self._committed()
            sweep = self._position() or sweep
        self.result = self._conclude(warehouse, sweep)

    def _sweep(self, warehouse: Warehouse) -> Sweep:
        """The sweep that was begun, or a new one."""
        version = self._client.version
        self.summary.data_timestamp = version.data_timestamp
        begun = self._position()
        same = begun and (begun.registry, begun.scope) == (self.registry_name, self.scope)
        if begun and same and not warehouse.is_concluded(begun.began_at):
            self.summary.resumed = True
            return begun
        nightly = warehouse.last_version()
        loaded = nightly is not None and nightly[0] is not None and nightly[0] == version.data_timestamp
        last = nightly and (day_of(nightly[0]) or nightly[1].date())
        found_by: FoundBy = "reconcile" if nightly else "first_load"
        return Sweep.begin(
            self.registry_name,
            self.scope,
            version,
            began_at=warehouse.next_time().isoformat(),
            due_before=None if loaded else (last - OVERLAP if last else datetime.min.date()),
            found_by=found_by,
        )

    def _conclude(self, warehouse: Warehouse, sweep: Sweep) -> Reconciliation:
        """Mark what is gone and write down what the sweep found, in one transaction."""
        total = self._client.total(filter_query(self.scope))
        unseen = warehouse.unseen(sweep.began_at)
        note = self._doubt(warehouse, sweep, total, len(unseen))
        gone = [] if note else self._confirmed(unseen)
        found = sweep.found
        result = Reconciliation(
            datetime.fromisoformat(sweep.began_at),
            sweep.data_timestamp,
            self.api_url,
            self.scope,
            total,
            sweep.studies_read,
            found.get(MISSED_NEW, 0),
            found.get(MISSED_CHANGE, 0),
            found.get(SILENT_CHANGE, 0),
            found.get(NOT_DUE, 0),
            len(gone),
            found.get(RETURNED, 0),
            sweep.rejected,
            len(unseen) if note else 0,
            note,
            [*sweep.examples, *([GONE, nct_id, "", ""] for nct_id in gone[:EXAMPLES_OF_A_KIND])],
        )
        warehouse.conclude(gone, sweep.found_by, result.row())
        self.summary.gone, self.summary.studies_total = len(gone), total
        if note:
            log.warning("%s", note)
        return result

    def _doubt(self, warehouse: Warehouse, sweep: Sweep, total: int | None, unseen: int) -> str | None:
        """Why the registry's silence about some of our studies is not believed; None where it is."""
        seen, ours = warehouse.seen(sweep.began_at), warehouse.live_studies()
        if total is not None and seen + sweep.rejected < total * (1 - SHORTFALL):
            return (
                f"the registry counts {total:,} studies but gave {seen:,}: it was not read whole, so nothing is marked "
                "as gone; reconcile again later"
            )
        if unseen > max(ours * self.most_gone, ALWAYS_BELIEVED):
            return (
                f"{unseen:,} of our {ours:,} studies are absent, more than {self.most_gone:.0%}: nothing is marked as "
                "gone; if it is true, `bioloupe reconcile --most-gone 1` marks them"
            )
        return None

    def _confirmed(self, unseen: list[str]) -> list[str]:
        """Those that the registry does not give when asked for by id either; pages may have shifted while read."""
        there: set[str | None] = set()
        for start in range(0, len(unseen), IDS_PER_REQUEST):
            ids = ",".join(unseen[start : start + IDS_PER_REQUEST])
            body = self._client.page({"filter.ids": ids, "fields": "NCTId"})
            there |= {study_id(raw) for raw in body.studies()}
            self._report("sweep", start, len(unseen), Counts())
        return [nct_id for nct_id in unseen if nct_id not in there]
