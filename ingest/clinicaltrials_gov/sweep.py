"""One reading of the whole registry to find what loading by date has missed, and what it found so far."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ingest.clinicaltrials_gov.client import Version
from ingest.clinicaltrials_gov.crawl import EVERYTHING, Crawl, FoundBy
from ingest.clinicaltrials_gov.studies import Study
from ingest.clinicaltrials_gov.warehouse import Stored

MISSED_NEW, MISSED_CHANGE, SILENT_CHANGE = "missed_new", "missed_change", "silent_change"
NOT_DUE, RETURNED, GONE = "not_due", "returned", "gone"
KINDS = (MISSED_NEW, MISSED_CHANGE, SILENT_CHANGE, NOT_DUE, RETURNED)
EXAMPLES_OF_A_KIND = 8


def difference(study: Study, stored: Stored | None, kind: str, due_before: date | None) -> str | None:
    """Which of KINDS the study is; None where the warehouse has it as it is.

    What was updated on `due_before` or later the next nightly load will bring: it is no miss. None: everything is due.
    """
    if stored is not None and stored.gone:
        return RETURNED
    if kind == "unchanged":
        return None
    updated = study.last_update_post_date
    if stored is not None and updated == stored.last_update_post_date:
        return SILENT_CHANGE
    if updated is not None and due_before is not None and updated >= due_before:
        return NOT_DUE
    return MISSED_NEW if stored is None else MISSED_CHANGE


@dataclass
class Sweep(Crawl):
    """A crawl of everything that began at `began_at` (ISO, the warehouse's clock), which is its name too.

    `found` counts differences by kind; `examples` are [kind, nct_id, our date, the registry's date].
    """

    began_at: str = ""
    due_before: str | None = None
    found: dict[str, int] = field(default_factory=dict)
    examples: list[list[str]] = field(default_factory=list)
    rejected: int = 0

    @classmethod
    def begin(
        cls,
        registry: str,
        scope: str | None,
        version: Version,
        *,
        began_at: str,
        due_before: date | None,
        found_by: FoundBy,
    ) -> "Sweep":
        """A sweep that has read nothing."""
        due = due_before.isoformat() if due_before else None
        timestamp, api = version.data_timestamp, version.api_version
        return cls(
            registry, scope, True, timestamp, api, [EVERYTHING], found_by=found_by, began_at=began_at, due_before=due
        )

    def saw(self, study: Study, stored: Any, kind: str) -> None:
        """Count and keep what differs."""
        super().saw(study, stored, kind)
        due = date.fromisoformat(self.due_before) if self.due_before else None
        found = difference(study, stored, kind, due)
        if found is None:
            return
        self.found[found] = self.found.get(found, 0) + 1
        if self.found[found] <= EXAMPLES_OF_A_KIND:
            ours = str(stored.last_update_post_date or "none") if stored else ""
            self.examples.append([found, study.nct_id, ours, str(study.last_update_post_date or "none")])
