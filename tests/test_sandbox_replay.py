"""Records of a file behind the same API."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.sandbox.replay import ReplayRegistry
from ingest.sandbox.server import create_app
from ingest.sandbox.state import replay_store


def study(nct: str | None, updated: Any = None, **status: Any) -> dict[str, Any]:
    if updated is not None:
        status["lastUpdatePostDateStruct"] = {"date": updated}
    identification = {"nctId": nct, "briefTitle": f"Étude {nct}"} if nct else {"briefTitle": "No id"}
    return {"protocolSection": {"identificationModule": identification, "statusModule": status}, "hasResults": False}


RECORDS: list[dict[str, Any]] = [
    study("NCT00000003", "2024-03-01", overallStatus="COMPLETED"),
    study("NCT00000001"),
    study("NCT00000002", "2023-01-15", overallStatus="RECRUITING"),
    {"protocolSection": {"identificationModule": {"nctId": "NCT00000004"}, "statusModule": []}},
    {"hasResults": True},
    study(None, "2022-02"),
    study("NCT00000005", "one day"),
    study("NCT00000002", "2023-06-30", overallStatus="COMPLETED"),
]


@pytest.fixture(params=["plain", "gzipped"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS) + "\n\n"
    path = tmp_path / "records.ndjson"
    path.write_bytes(gzip.compress(lines.encode()) if request.param == "gzipped" else lines.encode())
    return path


def test_records_come_as_they_are_sorted_with_undated_ones_last(records: Path) -> None:
    with TestClient(create_app(replay_store(records)), base_url="http://sandbox/api/v2") as client:
        page = client.get("/studies?pageSize=100&sort=LastUpdatePostDate:asc&countTotal=true").json()
        assert page["totalCount"] == 7
        assert page["studies"] == [RECORDS[k] for k in (5, 7, 0, 1, 3, 4, 6)]
        falling = client.get("/studies?pageSize=100&sort=LastUpdatePostDate:desc").json()["studies"]
        assert falling == [RECORDS[k] for k in (0, 7, 5, 6, 4, 3, 1)]


def test_of_two_versions_of_a_study_the_last_counts(records: Path) -> None:
    registry = ReplayRegistry(records)
    assert registry.replaced == 1
    index = registry.find("NCT00000002")
    assert index is not None
    assert registry.study(index) == RECORDS[7]


def test_filters_fields_and_single_studies_work_on_any_shape(records: Path) -> None:
    with TestClient(create_app(replay_store(records)), base_url="http://sandbox/api/v2") as client:
        changed = client.get("/studies?filter.advanced=AREA[LastUpdatePostDate]RANGE[2023-01-01,MAX]").json()["studies"]
        assert changed == [RECORDS[0], RECORDS[7]]
        assert client.get("/studies?filter.overallStatus=COMPLETED&countTotal=true").json()["totalCount"] == 2
        ids = client.get("/studies?fields=NCTId&pageSize=100").json()["studies"]
        assert {} in ids
        assert {"protocolSection": {"identificationModule": {"nctId": "NCT00000004"}}} in ids
        assert client.get("/studies/NCT00000004").json() == RECORDS[3]
        assert client.get("/studies/NCT00000009").status_code == 404


@pytest.mark.parametrize(
    ("line", "complaint"), [("{", "line 2"), ("[1]", "line 2: not a JSON object"), ('"x"', "line 2")]
)
def test_a_file_of_something_else_is_refused_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "records.ndjson"
    path.write_text(json.dumps(RECORDS[0]) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=complaint):
        ReplayRegistry(path)


def test_real_records_and_fragments(shared: Path) -> None:
    path = shared / "registry" / "ctgov_v2_fragments.ndjson.gz"
    with gzip.open(path) as file:
        expected = [json.loads(line) for line in file]
    with TestClient(create_app(replay_store(path)), base_url="http://sandbox/api/v2") as client:
        served, token = [], None
        while True:
            params = {"pageSize": 30, "sort": "LastUpdatePostDate:asc", **({"pageToken": token} if token else {})}
            page = client.get("/studies", params=params).json()
            served += page["studies"]
            token = page.get("nextPageToken")
            if token is None:
                break

    def key(record: dict[str, Any]) -> str:
        return json.dumps(record, sort_keys=True)

    assert len(served) == len({key(record) for record in served})
    assert {key(record) for record in served} <= {key(record) for record in expected}
    nct = [r.get("protocolSection", {}).get("identificationModule", {}).get("nctId") for r in expected]
    assert len(served) == len({n for n in nct if n}) + nct.count(None)
