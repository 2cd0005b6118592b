"""One batch of a crawl: pages of the registry read, compared with the warehouse, written as CSV."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.clinicaltrials_gov.client import BadRequest, RegistryClient
from ingest.clinicaltrials_gov.crawl import UNDATED, Crawl
from ingest.clinicaltrials_gov.decode import Body
from ingest.clinicaltrials_gov.files import BatchFiles, CsvFile
from ingest.clinicaltrials_gov.studies import Rejected, Study, read_study
from ingest.clinicaltrials_gov.warehouse import Stored, Warehouse

# Studies compared with the warehouse in one query, and held in memory at a time.
_CHUNK = 100
# 200 ids of 11 characters keep the URL below the 4 KB that every server and proxy takes.
_IDS_PER_REQUEST = 200


@dataclass
class Counts:
    """What a batch did. `bytes` is JSON as it came; `returned` had been marked as gone and came back as they were."""

    pages: int = 0
    bytes: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    returned: int = 0
    rejected: int = 0

    @property
    def studies(self) -> int:
        """Records read, whatever became of them."""
        return self.new + self.changed + self.unchanged + self.returned + self.rejected

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


@dataclass(frozen=True)
class BatchLimits:
    """A batch ends with the page that reaches one of these; they bound disk, and what a kill can cost."""

    pages: int = 10
    bytes: int = 256 * 2**20


@dataclass
class Reconciled:
    """What the comparison of ids left to be read one by one, and how many studies the registry has."""

    missing: list[str] = field(default_factory=list)
    total: int | None = None


class Batch:
    """Reads pages from where `crawl` stands, and moves it on, until the crawl's phase ends or a limit is reached.

    Without a warehouse every study counts as new and is written, to be compared by the merge alone.
    """

    def __init__(
        self,
        client: RegistryClient,
        crawl: Crawl,
        directory: Path,
        load_id: str,
        *,
        warehouse: Warehouse | None = None,
        reconciled: Reconciled | None = None,
        limits: BatchLimits | None = None,
        on_page: Callable[[Crawl, Counts], None] | None = None,
    ):
        self.crawl, self.counts = crawl, Counts()
        self._client, self._warehouse = client, warehouse
        # Times of changes must rise as they commit: first the studies that came back, then the batch's rows.
        self._returned_at = warehouse.next_time() if warehouse else datetime.now(timezone.utc)
        loaded_at = warehouse.next_time() if warehouse else self._returned_at
        self._files = BatchFiles(directory, load_id, loaded_at, crawl.found_by)
        self._missing = reconciled.missing if reconciled else []
        self._limits, self._on_page = limits or BatchLimits(), on_page
        self._kinds: dict[str, str] = {}

    def read(self) -> dict[str, list[CsvFile]]:
        """Read until the batch is full or the phase has nothing more; the files, by table. Raises RegistryError."""
        reads = self._read_ids if self.crawl.phase == "reconcile" else self._read_leg
        while self.has_more() and not self._is_full():
            reads()
            self._files.end_page()
            if self._on_page:
                self._on_page(self.crawl, self.counts)
        returned = [nct_id for nct_id, kind in self._kinds.items() if kind == "returned"]
        if self._warehouse and returned:
            self._warehouse.unmark(returned, self._returned_at, self.crawl.found_by)
        return self._files.finish()

    def has_more(self) -> bool:
        """Whether the phase has something left to be read."""
        return bool(self._missing if self.crawl.phase == "reconcile" else self.crawl.legs)

    def agrees_with(self, total: int | None) -> bool:
        """Whether the warehouse, with this batch in it, will hold as many studies as the registry says it has.

        Not told where a record was rejected: which of those the warehouse knows already is seen once it is loaded.
        """
        if total is None or self._warehouse is None:
            return True
        return not self.counts.rejected and self._warehouse.accounted_studies() + self.counts.new == total

    def _is_full(self) -> bool:
        return self.counts.pages >= self._limits.pages or self.counts.bytes >= self._limits.bytes

    def _read_leg(self) -> None:
        """The next page of the crawl."""
        crawl = self.crawl
        query = crawl.query() if crawl.token else {**crawl.query(), "countTotal": "true"}
        try:
            body = self._client.page(query, crawl.token)
        except BadRequest:
            if crawl.token is not None:
                crawl.token_expired()
            elif crawl.legs[0] == UNDATED:
                crawl.page_read(None)  # a registry that cannot be asked for them: comparing the ids finds them
            else:
                raise
            return
        if crawl.token is None and body.total is not None:
            crawl.studies_expected = crawl.studies_read + body.total
        self._compare(body)
        crawl.page_read(body.next_token)

    def _read_ids(self) -> None:
        """Some hundred studies asked for by id."""
        self._compare(self._client.page({"filter.ids": ",".join(self._missing[:_IDS_PER_REQUEST])}))
        del self._missing[:_IDS_PER_REQUEST]

    def _compare(self, body: Body) -> None:
        """Write what is new or changed in a page, a chunk of studies at a time."""
        self.counts.pages += 1
        self.counts.bytes += body.size
        studies = body.studies()
        while chunk := [read_study(raw) for raw in islice(studies, _CHUNK)]:
            self.crawl.studies_read += len(chunk)
            ids = [record.nct_id for record in chunk if isinstance(record, Study)]
            stored = self._warehouse.stored(ids) if self._warehouse else {}
            for record in chunk:
                if isinstance(record, Rejected):
                    self.counts.rejected += 1
                    self._files.rejected(record)
                else:
                    self._compare_study(record, stored.get(record.nct_id))

    def _compare_study(self, study: Study, stored: Stored | None) -> None:
        """Count the study and write it if it differs; of several records of one study the last one counts."""
        self.crawl.saw(study.last_update_post_date)
        kind = _kind(study, stored)
        if earlier := self._kinds.get(study.nct_id):
            self._count(earlier, -1)
            if study.nct_id in self._files:
                self._files.drop(study.nct_id)
        self._kinds[study.nct_id] = kind
        self._count(kind, 1)
        if kind in ("new", "changed"):
            self._files.study(study)

    def _count(self, kind: str, number: int) -> None:
        setattr(self.counts, kind, getattr(self.counts, kind) + number)


def _kind(study: Study, stored: Stored | None) -> str:
    if stored is None:
        return "new"
    if stored.content_hash != study.content_hash:
        return "changed"
    return "returned" if stored.gone else "unchanged"


def version_row(crawl: Crawl, api_url: str) -> dict[str, Any]:
    """The row of `registry_versions` that a finished load leaves."""
    return {
        "data_timestamp": crawl.data_timestamp,
        "api_version": crawl.api_version,
        "observed_at": datetime.now(timezone.utc),
        "studies_total": crawl.studies_total,
        "scope": crawl.scope,
        "api_url": api_url,
    }
