"""A small registry, an empty warehouse and loads between them, for tests."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ingest.clinicaltrials_gov import LoadSummary, RegistryClient, StudyLoad
from tests.registry_server import Registry, make_study

ROWS = "select nct_id, xmin::text, content_hash, loaded_at, deleted_at from raw_ctgov.studies"


@dataclass
class House:
    """A registry, an empty warehouse, and a place for dlt's files."""

    registry: Registry
    url: str
    directory: Path

    def load(self, **options: Any) -> LoadSummary:
        client = RegistryClient(self.registry.url, backoff=0.01, timeout=(1.0, 1.0))
        study_load = StudyLoad(self.registry.url, self.url, self.directory, client=client, **options)
        for _ in study_load.batches():
            pass
        return study_load.summary

    def next_night(self, night: int = 2) -> None:
        self.registry.version["dataTimestamp"] = f"2024-06-{night:02}T09:00:05"
        self.registry.requests.clear()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def rows(self) -> dict[str, tuple[Any, ...]]:
        return {row[0]: row[1:] for row in self.query(ROWS)}

    def loaded_since(self, before: dict[str, tuple[Any, ...]]) -> set[str]:
        """The studies that a reader finds who remembers the latest `loaded_at` of before."""
        watermark = max(row[2] for row in before.values())
        return {nct_id for nct_id, row in self.rows().items() if row[2] > watermark}


def nct(number: int) -> str:
    return f"NCT{number:08}"


def update(study: dict[str, Any], day: str = "2024-06-02") -> None:
    study["hasResults"] = not study["hasResults"]
    study["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": day}


@pytest.fixture
def house(warehouse_url: str, tmp_path: Path) -> Iterator[House]:
    studies = [make_study(number, f"2024-05-{number:02}") for number in range(1, 13)]
    with Registry(studies) as registry:
        registry.page_size = 3
        yield House(registry, warehouse_url, tmp_path / "dlt files")
