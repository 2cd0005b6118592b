"""The dlt source: ClinicalTrials.gov studies, one row each with the whole record as JSON.

One run of it is one batch: as many pages as the limits allow, from where the state in the destination says that the
crawl stands. `load.StudyLoad` runs it until the crawl is complete; run alone, without limits, it does so at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchemaColumns

from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.crawl import Crawl, FoundBy, filter_query, next_crawl
from ingest.clinicaltrials_gov.extract import Batch, BatchLimits, Counts, version_row
from ingest.clinicaltrials_gov.files import CsvFile

NAME = "clinicaltrials_gov"
STATE_KEY = "crawl"
# Everything in one batch, for a source that is run alone.
UNLIMITED = BatchLimits(pages=2**31, bytes=2**63)

_STUDY_COLUMNS: TTableSchemaColumns = {
    "nct_id": {"data_type": "text", "nullable": False, "primary_key": True},
    "last_update_post_date": {"data_type": "date"},
    "content_hash": {"data_type": "text", "nullable": False},
    "payload": {"data_type": "json", "nullable": False},
    "loaded_at": {"data_type": "timestamp", "nullable": False},
    "deleted_at": {"data_type": "timestamp"},
    "found_by": {"data_type": "text"},
    "_dlt_load_id": {"data_type": "text", "nullable": False},
}
_REJECTED_COLUMNS: TTableSchemaColumns = {
    "nct_id": {"data_type": "text"},
    "reason": {"data_type": "text", "nullable": False},
    "payload": {"data_type": "text", "nullable": False},
    "content_hash": {"data_type": "text", "nullable": False, "primary_key": True},
    "loaded_at": {"data_type": "timestamp", "nullable": False},
    "_dlt_load_id": {"data_type": "text", "nullable": False},
}
_VERSION_COLUMNS: TTableSchemaColumns = {
    "data_timestamp": {"data_type": "text"},
    "api_version": {"data_type": "text"},
    "observed_at": {"data_type": "timestamp", "nullable": False},
    "studies_total": {"data_type": "bigint"},
    "scope": {"data_type": "text"},
    "api_url": {"data_type": "text", "nullable": False},
}
# dlt's decorators take every merge strategy, but their types leave out all that have options.
_MERGE: Any = {
    "disposition": "merge",
    "strategy": "upsert",
    "skip_unchanged_rows": True,
    "row_version_column_name": "content_hash",
}


@dlt.source(name=NAME, max_table_nesting=0)
def clinicaltrials_gov(
    api_url: str,
    scope: str | None = None,
    registry: str | None = None,
    full: bool = False,
    found_by: FoundBy = "nightly",
    requests_per_minute: float | None = None,
    client: Any = None,
    warehouse: Any = None,
    reconciled: Any = None,
    limits: Any = None,
    on_page: Callable[[Crawl, Counts], None] | None = None,
) -> Any:
    """Studies of one registry that were added or changed since the last complete crawl.

    `registry` names what is behind `api_url`, where one registry is served at changing addresses; the position of the
    crawl belongs to it. `scope` is an Essie expression. `full` reads everything again. `found_by` is
    written beside what is not a first load. The rest is what
    `load.StudyLoad` shares between batches: a RegistryClient, a Warehouse to compare with, a Reconciled, BatchLimits.
    """
    client = client or RegistryClient(api_url, requests_per_minute=requests_per_minute)

    @dlt.resource(selected=False)
    def pages() -> Iterator[dict[str, list[Any]]]:
        state = dlt.current.source_state()
        previous = Crawl.from_state(state.get(STATE_KEY))
        crawl = next_crawl(previous, registry or api_url, scope, client.version, full=full, found_by=found_by)
        if crawl is None:
            return
        batch = Batch(
            client,
            crawl,
            _spool(),
            dlt.current.load_package_state()["load_id"],
            warehouse=warehouse,
            reconciled=reconciled,
            limits=limits or UNLIMITED,
            on_page=on_page,
        )
        rows: dict[str, list[Any]] = {**batch.read()}
        if not batch.has_more():
            crawl.studies_total = reconciled.total if reconciled else client.total(filter_query(scope))
            crawl.end_phase(reconcile=not batch.agrees_with(crawl.studies_total))
        if crawl.phase == "complete":
            rows["registry_versions"] = [version_row(crawl, api_url)]
        state[STATE_KEY] = {**crawl.to_state(), "batch": asdict(batch.counts)}
        yield rows

    @dlt.transformer(
        data_from=pages, columns=_STUDY_COLUMNS, write_disposition=_MERGE, file_format="csv", max_table_nesting=0
    )
    def studies(rows: dict[str, list[Any]]) -> Iterator[Any]:
        """One row per study: its whole record as JSON, the hash of that, when it was loaded, when it vanished."""
        yield from _imports(rows["studies"])

    @dlt.transformer(data_from=pages, columns=_REJECTED_COLUMNS, write_disposition=_MERGE, file_format="csv")
    def rejected_studies(rows: dict[str, list[Any]]) -> Iterator[Any]:
        """Records of the registry that cannot be stored, with the reason and their text."""
        yield from _imports(rows["rejected_studies"])

    @dlt.transformer(data_from=pages, columns=_VERSION_COLUMNS, write_disposition="append")
    def registry_versions(rows: dict[str, list[Any]]) -> Iterator[Any]:
        """One row per load that read the registry: which version of the data, and how many studies it had."""
        yield from rows.get("registry_versions", [])

    return pages, studies, rejected_studies, registry_versions


def _imports(files: list[CsvFile]) -> Iterator[Any]:
    """Hand files to dlt, which links them into the load package."""
    for file in files:
        yield dlt.mark.with_file_import(str(file.path), "csv", file.rows)
        # Linked by now. A later batch that wrote to the same file would write into the package.
        file.path.unlink()


def _spool() -> Path:
    """Where files are written: on the file system of the load package, so that importing one is a hard link."""
    return Path(dlt.current.pipeline().working_dir) / "spool"
