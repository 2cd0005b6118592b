"""Real records of the registry: all of them can be stored, oddly shaped ones too, and come back as they were."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import psycopg2
import pytest

from ingest.clinicaltrials_gov import load
from ingest.clinicaltrials_gov.decode import decode, read_page
from ingest.clinicaltrials_gov.studies import Study, read_study
from tests.registry_server import Registry


def lines(shared: Path, name: str) -> Iterator[bytes]:
    with gzip.open(shared / "registry" / f"{name}.ndjson.gz") as file:
        yield from file


def versions(shared: Path) -> dict[str, list[dict[str, Any]]]:
    """The versions of each study, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines(shared, "ctgov_v2_study_versions"):
        record = orjson.loads(line)
        found.setdefault(record["nctId"], []).append(record)
    for records in found.values():
        records.sort(key=lambda record: str(record["versionHolder"]))
    return found


@pytest.mark.parametrize("name", ["ctgov_v2_studies", "ctgov_v2_fragments"])
def test_every_record_can_be_stored(shared: Path, name: str) -> None:
    records = [read_study(decode(line)) for line in lines(shared, name)]
    assert {type(record) for record in records} == {Study}
    assert len({record.nct_id for record in records}) == len(records)


def test_a_page_of_real_records_is_split_without_parsing_it(shared: Path) -> None:
    found = [line.rstrip() for line, _ in zip(lines(shared, "ctgov_v2_studies"), range(200), strict=False)]
    body = read_page(b'{"studies":[' + b",".join(found) + b'],"nextPageToken":"x"}')
    assert len(body.bounds) == 201
    assert list(body.studies()) == [orjson.loads(line) for line in found]


def test_a_study_that_only_got_a_new_stamp_keeps_its_hash(shared: Path) -> None:
    hashes: dict[bool, set[bool]] = {True: set(), False: set()}
    for records in versions(shared).values():
        read = [read_study(record["study"]) for record in records]
        for record in records:
            record["study"]["derivedSection"]["miscInfoModule"].pop("versionHolder")
        for before, after in pairwise(range(len(records))):
            same_content = records[before]["study"] == records[after]["study"]
            hashes[same_content].add(read[before].content_hash == read[after].content_hash)
    assert hashes == {True: {True}, False: {False}}


@pytest.mark.integration
def test_odd_records_come_back_from_postgres_as_they_were(shared: Path, warehouse_url: str, tmp_path: Path) -> None:
    odd = [orjson.loads(line) for line in lines(shared, "ctgov_v2_fragments")]
    newest = [records[-1]["study"] for records in versions(shared).values()]
    with Registry([*newest, *odd]) as registry:
        summary = load(registry.url, warehouse_url, tmp_path)
    with closing(psycopg2.connect(warehouse_url)) as connection, connection.cursor() as cursor:
        cursor.execute("select nct_id, payload from raw_ctgov.studies")
        stored = dict(cursor.fetchall())
    assert (summary.new, summary.rejected, summary.difference) == (len(newest) + len(odd), 0, 0)
    for record in [*newest, *odd]:
        assert stored[record["protocolSection"]["identificationModule"]["nctId"]] == record
