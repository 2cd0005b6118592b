"""One batch of a crawl: pages of the registry read, compared with the warehouse, written as CSV."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Protocol

from ingest.clinicaltrials_gov.crawl import FoundBy
from ingest.clinicaltrials_gov.decode import Body
from ingest.clinicaltrials_gov.files import BatchFiles, CsvFile
from ingest.clinicaltrials_gov.pages import Pages
from ingest.clinicaltrials_gov.studies import Rejected, Study, read_study
from ingest.clinicaltrials_gov.warehouse import Stored, Warehouse

# Studies compared with the warehouse in one query, and held in memory at a time.
_CHUNK = 100


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


class Position(Protocol):
    """Where a reading of the registry stands; it is told of every record, and committed with the batch."""

    studies_read: int
    found_by: FoundBy

    @property
    def studies_expected(self) -> int | None:
        """How many studies there are to be read, None where that is not known."""

    def saw(self, study: Study, stored: Stored | None, kind: str) -> None:
        """A study was read; `kind` is the field of Counts that it belongs to."""


class Batch:
    """Reads pages, which move `position` on, until they end or a limit is reached.

    Without a warehouse every study counts as new and is written, to be compared by the merge alone. `on_ids` gets the
    ids of everything that was read.
    """

    def __init__(
        self,
        pages: Pages,
        position: Position,
        directory: Path,
        load_id: str,
        *,
        warehouse: Warehouse | None = None,
        limits: BatchLimits | None = None,
        on_page: Callable[[Position, Counts], None] | None = None,
        on_ids: Callable[[list[str]], None] | None = None,
    ):
        self.counts = Counts()
        self._pages, self._position, self._warehouse = pages, position, warehouse
        # A guard against content that another load brings meanwhile; the time of the change is given as it commits.
        read_at = warehouse.next_time() if warehouse else datetime.now(timezone.utc)
        self._files = BatchFiles(directory, load_id, read_at, position.found_by)
        self._limits, self._on_page, self._on_ids = limits or BatchLimits(), on_page, on_ids
        self._kinds: dict[str, str] = {}

    def read(self) -> dict[str, list[CsvFile]]:
        """Read until the batch is full or there is nothing more; the files, by table. Raises RegistryError."""
        while self.has_more() and not self._is_full():
            self._read_page()
            self._files.end_page()
            if self._on_page:
                self._on_page(self._position, self.counts)
        returned = [nct_id for nct_id, kind in self._kinds.items() if kind == "returned"]
        if self._warehouse and returned:
            self._warehouse.unmark(returned, self._position.found_by)
        return self._files.finish()

    def has_more(self) -> bool:
        """Whether something is left to be read."""
        return self._pages.has_more()

    def agrees_with(self, total: int | None) -> bool:
        """Whether the warehouse, with this batch in it, will hold as many studies as the registry says it has.

        Not told where a record was rejected: which of those the warehouse knows already is seen once it is loaded.
        """
        if total is None or self._warehouse is None:
            return True
        return not self.counts.rejected and self._warehouse.accounted_studies() + self.counts.new == total

    def _is_full(self) -> bool:
        return self.counts.pages >= self._limits.pages or self.counts.bytes >= self._limits.bytes

    def _read_page(self) -> None:
        # In a function of its own, so that no page is held while the next one is waited for.
        if body := self._pages.next():
            self._compare(body)

    def _compare(self, body: Body) -> None:
        """Write what is new or changed in a page, a chunk of studies at a time."""
        self.counts.pages += 1
        self.counts.bytes += body.size
        studies = body.studies()
        while chunk := [read_study(raw) for raw in islice(studies, _CHUNK)]:
            self._position.studies_read += len(chunk)
            ids = [record.nct_id for record in chunk if isinstance(record, Study)]
            if self._on_ids:
                self._on_ids([record.nct_id for record in chunk if record.nct_id])
            stored = self._warehouse.stored(ids) if self._warehouse else {}
            for record in chunk:
                if isinstance(record, Rejected):
                    self.counts.rejected += 1
                    self._files.rejected(record)
                else:
                    self._compare_study(record, stored.get(record.nct_id))

    def _compare_study(self, study: Study, stored: Stored | None) -> None:
        """Count the study and write it if it differs; of several records of one study the last one counts."""
        kind = _kind(study, stored)
        self._position.saw(study, stored, kind)
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
