"""The dlt source: ClinicalTrials.gov studies, one row each with the whole record as JSON.

One run of it is one batch: as many pages as its reader's limits allow, from where the state in the destination says
that the reading stands. `load.StudyLoad` runs it until the crawl is complete; run alone, it does so at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import dlt
from dlt.common.schema.typing import TTableSchemaColumns

from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.extract import BatchLimits
from ingest.clinicaltrials_gov.fetch import Fetcher
from ingest.clinicaltrials_gov.files import CsvFile
from ingest.clinicaltrials_gov.readers import CrawlReader

NAME = "clinicaltrials_gov"
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


class Reader(Protocol):
    """Reads one batch. `state` is the pipeline's own dict of JSON-able values, which is committed with the batch."""

    def read(self, state: dict[str, Any], spool: Path, load_id: str) -> dict[str, list[Any]] | None:
        """Files of rows by table; None where there is nothing to do."""


@dlt.source(name=NAME, max_table_nesting=0)
def clinicaltrials_gov(
    api_url: str,
    scope: str | None = None,
    registry: str | None = None,
    full: bool = False,
    requests_per_minute: float | None = None,
    client: Any = None,
    reader: Any = None,
) -> Any:
    """Studies of one registry that were added or changed since the last complete crawl.

    `registry` names what is behind `api_url`, where one registry is served at changing addresses; the position of the
    crawl belongs to it. `scope` is an Essie expression. `full` reads everything again. `client` is a RegistryClient;
    `reader`, a Reader, reads in another way than a crawl without limits.
    """
    client = client or RegistryClient(api_url, requests_per_minute=requests_per_minute)
    reader = reader or CrawlReader(client, Fetcher(client), registry or api_url, scope, full, limits=UNLIMITED)

    @dlt.resource(selected=False)
    def pages() -> Iterator[dict[str, list[Any]]]:
        load_id = dlt.current.load_package_state()["load_id"]
        rows = reader.read(dlt.current.source_state(), _spool(), load_id)
        if rows is not None:
            yield rows

    @dlt.transformer(
        data_from=pages, columns=_STUDY_COLUMNS, write_disposition=_MERGE, file_format="csv", max_table_nesting=0
    )
    def studies(rows: dict[str, list[Any]]) -> Iterator[Any]:
        """One row per study: its whole record as JSON, the hash of that, when it was loaded, when it vanished."""
        yield from _imports(rows.get("studies", []))

    @dlt.transformer(data_from=pages, columns=_REJECTED_COLUMNS, write_disposition=_MERGE, file_format="csv")
    def rejected_studies(rows: dict[str, list[Any]]) -> Iterator[Any]:
        """Records of the registry that cannot be stored, with the reason and their text."""
        yield from _imports(rows.get("rejected_studies", []))

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
