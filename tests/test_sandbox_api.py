"""The HTTP API of the sandbox: parameters, paging, errors."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.sandbox.api.fields import locate
from ingest.sandbox.population import EPOCH
from ingest.sandbox.registry import SyntheticRegistry
from ingest.sandbox.server import create_app
from ingest.sandbox.state import FixedStore, SandboxState, StateStore, open_state

STUDIES = 230
REGISTRY = SyntheticRegistry(5, STUDIES, 2)
LIVE = len(REGISTRY.by_index)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(FixedStore(REGISTRY)), base_url="http://sandbox/api/v2") as client:
        yield client


def crawl(client: TestClient, **params: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """All ids that a request gives, page after page, and the pages."""
    ids, pages, token = [], [], None
    while True:
        response = client.get("/studies", params={**params, **({"pageToken": token} if token else {})})
        assert response.status_code == 200, response.text
        page = response.json()
        pages.append(page)
        ids += [study["protocolSection"]["identificationModule"]["nctId"] for study in page["studies"]]
        token = page.get("nextPageToken")
        if token is None:
            return ids, pages


@pytest.mark.parametrize("page_size", [3, 7, 50, LIVE, 1000])
@pytest.mark.parametrize(
    "sort", [None, "LastUpdatePostDate:asc", "LastUpdatePostDate", "EnrollmentCount", "@relevance"]
)
def test_paging_gives_every_study_once(client: TestClient, page_size: int, sort: str | None) -> None:
    params = {"pageSize": page_size, "fields": "NCTId", "countTotal": "true", **({"sort": sort} if sort else {})}
    ids, pages = crawl(client, **params)
    assert len(ids) == len(set(ids)) == LIVE
    assert [page.get("totalCount") for page in pages] == [LIVE] + [None] * (len(pages) - 1)
    # A token comes with every full page, even if nothing follows.
    assert len(pages) == LIVE // page_size + 1


def test_pages_follow_the_order_that_is_asked_for(client: TestClient) -> None:
    def dates(sort: str) -> list[str]:
        _, pages = crawl(client, pageSize=60, sort=sort, fields="NCTId,LastUpdatePostDate")
        studies = [study["protocolSection"]["statusModule"] for page in pages for study in page["studies"]]
        return [status["lastUpdatePostDateStruct"]["date"] for status in studies]

    rising = dates("LastUpdatePostDate:asc")
    assert rising == sorted(rising)
    assert dates("LastUpdatePostDate:desc") == dates("LastUpdatePostDate") == rising[::-1]


def test_sorting_by_a_number_puts_studies_without_it_last(client: TestClient) -> None:
    for sort in ("EnrollmentCount:desc", "ResultsFirstPostDate:asc"):
        _, pages = crawl(client, pageSize=1000, sort=sort, fields="NCTId,EnrollmentCount,ResultsFirstPostDate")
        path = (locate(sort.split(":")[0]) or [])[0].path
        found = [_at(study, path) for page in pages for study in page["studies"]]
        present = [value for value in found if value is not None]
        assert found[: len(present)] == sorted(present, reverse=sort.endswith("desc"))


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        node = node.get(name, {})
    return node if node != {} else None


def test_the_default_page_and_the_limits_of_its_size(client: TestClient) -> None:
    assert len(client.get("/studies").json()["studies"]) == 10
    assert len(client.get("/studies?pageSize=0&fields=NCTId").json()["studies"]) == 10
    assert len(client.get("/studies?pageSize=5000&fields=NCTId").json()["studies"]) == LIVE
    assert "totalCount" not in client.get("/studies?fields=NCTId").json()


def test_a_page_is_one_study_a_line(client: TestClient) -> None:
    lines = client.get("/studies?pageSize=3").text.split("\n")
    assert len(lines) == 4
    assert all(json.loads(line.rstrip(",").split('],"nextPageToken"')[0]) for line in lines[1:])


def test_filter_by_update_day(client: TestClient) -> None:
    for low, high in (("2026-05-15", "MAX"), ("MIN", "2015-01"), ("2020-01-01", "2021-12-31"), ("2027-01-01", "MAX")):
        ids, _ = crawl(client, **{"filter.advanced": f"AREA[LastUpdatePostDate]RANGE[{low},{high}]", "pageSize": 50})
        first = "0000" if low == "MIN" else low
        last = "9999" if high == "MAX" else high + "-99"
        assert sorted(ids) == sorted(
            f"NCT9{i:07d}" for i in REGISTRY.by_index if first <= _iso(REGISTRY.date(i)) <= last[:10]
        )


@pytest.mark.parametrize(("low", "high"), [("2023-02-01", "2023-02-28"), ("2026-01", "MAX"), ("MIN", "2010")])
def test_filter_by_the_day_of_the_first_posting(client: TestClient, low: str, high: str) -> None:
    window = f"AREA[StudyFirstPostDate]RANGE[{low},{high}]"
    looked_up, pages = crawl(client, sort="LastUpdatePostDate:asc", pageSize=50, **{"filter.advanced": window})
    tested, _ = crawl(client, sort="LastUpdatePostDate:asc", pageSize=50, **{"filter.advanced": f"NOT (NOT {window})"})
    assert looked_up == tested != []
    for study in (study for page in pages for study in page["studies"]):
        posted = study["protocolSection"]["statusModule"]["studyFirstPostDateStruct"]["date"]
        assert low == "MIN" or posted >= low
        assert high == "MAX" or posted <= high + "-99"


def _iso(day: int) -> str:
    from datetime import date

    return date.fromordinal(day + EPOCH).isoformat()


def test_filters_add_up_to_a_scope(client: TestClient) -> None:
    scope = "AREA[LeadSponsorClass]INDUSTRY AND AREA[Phase](PHASE2 OR PHASE3)"
    everything, _ = crawl(client, pageSize=1000, **{"filter.advanced": scope})
    changed, pages = crawl(
        client, pageSize=1000, sort="LastUpdatePostDate:asc",
        **{"filter.advanced": f"({scope}) AND AREA[LastUpdatePostDate]RANGE[2022-01-01,MAX]"},
    )  # fmt: skip
    assert 0 < len(changed) < len(everything) < LIVE
    assert set(changed) < set(everything)
    for study in pages[0]["studies"]:
        protocol = study["protocolSection"]
        assert protocol["sponsorCollaboratorsModule"]["leadSponsor"]["class"] == "INDUSTRY"
        assert {"PHASE2", "PHASE3"} & set(protocol["designModule"]["phases"])


def test_status_ids_and_queries(client: TestClient) -> None:
    ids, pages = crawl(client, pageSize=1000, **{"filter.overallStatus": "RECRUITING|COMPLETED"})
    statuses = {s["protocolSection"]["statusModule"]["overallStatus"] for page in pages for s in page["studies"]}
    assert statuses == {"RECRUITING", "COMPLETED"}
    one, other = ids[:2]
    assert set(crawl(client, **{"filter.ids": f"{one.lower()},{other}|NCT00000001"})[0]) == {one, other}
    # Only ids in a query: filters are ignored.
    query = {"query.term": f"{one}, {other}", "filter.overallStatus": "WITHDRAWN"}
    assert set(crawl(client, **query)[0]) == {one, other}
    found, _ = crawl(client, pageSize=1000, **{"query.cond": "cancer"})
    assert 0 < len(found) < LIVE


def test_fields_are_pieces_paths_modules_or_areas(client: TestClient) -> None:
    nct = "NCT90000003"
    expected = client.get(f"/studies/{nct}").json()["protocolSection"]

    def protocol(fields: str) -> Any:
        return client.get(f"/studies/{nct}", params={"fields": fields}).json()["protocolSection"]

    assert protocol("NCTId") == {"identificationModule": {"nctId": nct}}
    assert protocol("DesignModule|NCTId")["designModule"] == expected["designModule"]
    assert protocol("ProtocolSection") == expected
    assert protocol("protocolSection.conditionsModule.conditions") == {
        "conditionsModule": {"conditions": expected["conditionsModule"]["conditions"]}
    }
    assert set(protocol("ConditionSearch")) <= {"identificationModule", "conditionsModule"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("pageSize=-1", "Invalid value in parameter pageSize"),
        ("pageSize=ten", "Invalid value in parameter pageSize"),
        ("filter.phase=PHASE3", "`filter.phase` is unknown parameter"),
        ("pageSize=1&pageSize=2", "given more than once"),
        ("countTotal=yes", "countTotal"),
        ("fields=", "fields"),
        ("fields=NCTId,StudyDesign", "Parameter 'fields' contains invalid field name: 'StudyDesign'"),
        ("sort=BriefTitle", "sortable"),
        ("sort=LastUpdatePostDate:up", "sort"),
        ("sort=StartDate,EnrollmentCount,CompletionDate", "at most 2"),
        ("filter.overallStatus=RECRUITNG", "Invalid value in parameter overallStatus"),
        ("filter.ids=NCT1,12345", "Invalid value in parameter ids"),
        ("filter.advanced=AREA[Phase", "Invalid query expression"),
        ("filter.advanced=AREA[Nothing]x", "unknown area `Nothing`"),
        ("query.term=(a", "Invalid query expression"),
        ("pageToken=abracadabra", "Incorrect format for `pageToken`"),
        ("pageToken=%C3%A9", "Incorrect format for `pageToken`"),
        ("format=xml", "format"),
        ("format=csv", "not supported by the sandbox"),
        ("filter.geo=distance(1,1,1km)", "not supported by the sandbox"),
    ],
)
def test_bad_requests_are_told_why_in_plain_text(client: TestClient, query: str, message: str) -> None:
    response = client.get(f"/studies?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")
    assert message in response.text


def test_a_token_belongs_to_the_parameters_that_it_came_with(client: TestClient) -> None:
    token = client.get("/studies?pageSize=5&fields=NCTId").json()["nextPageToken"]
    assert client.get(f"/studies?pageSize=9&countTotal=true&fields=NCTId&pageToken={token}").status_code == 200
    for other in ("fields=BriefTitle", "fields=NCTId&sort=StartDate", "fields=NCTId&query.cond=cancer"):
        refused = client.get(f"/studies?{other}&pageToken={token}")
        assert refused.status_code == 400
        assert "does not belong to these parameters" in refused.text


def test_one_study(client: TestClient) -> None:
    study = client.get("/studies/nct90000007").json()
    assert study["protocolSection"]["identificationModule"]["nctId"] == "NCT90000007"
    assert client.get("/studies/NCT00000007").status_code == 404
    assert client.get("/studies/12345").status_code == 400
    assert client.get("/studies/NCT90000007?pageSize=1").status_code == 400


def test_version_has_no_zone_and_moves_with_the_night(client: TestClient) -> None:
    assert client.get("/version").json() == {"apiVersion": "2.0.5", "dataTimestamp": "2026-06-03T09:00:05"}


def test_responses_are_compressed_for_those_who_take_it(client: TestClient) -> None:
    plain = client.get("/studies?pageSize=3", headers={"Accept-Encoding": "identity"})
    with client.stream("GET", "/studies?pageSize=3", headers={"Accept-Encoding": "gzip, br"}) as response:
        packed = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert "content-encoding" not in plain.headers
    with TestClient(create_app(FixedStore(REGISTRY), compress=False), base_url="http://sandbox/api/v2") as other:
        assert "content-encoding" not in other.get("/studies?pageSize=3").headers


def test_a_running_server_notices_a_new_night_and_a_crawl_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "sandbox" / "ctgov.json"
    state, _ = open_state(path, 60, 1)
    with TestClient(create_app(StateStore(path)), base_url="http://sandbox/api/v2") as client:
        params = {"pageSize": "20", "sort": "LastUpdatePostDate:asc", "fields": "NCTId"}
        first = client.get("/studies", params=params).json()
        state.advanced(5).save(path)
        assert client.get("/version").json()["dataTimestamp"] == "2026-06-06T09:00:05"
        rest, _ = crawl(client, **params, pageToken=first["nextPageToken"])
    seen = [s["protocolSection"]["identificationModule"]["nctId"] for s in first["studies"]] + rest
    live = SyntheticRegistry(1, 60, 5)
    assert {f"NCT9{i:07d}" for i in live.by_index} <= set(seen), "a study that lives was missed"


def test_a_state_of_another_registry_is_given_up_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "ctgov.json"
    first, said = open_state(path, 100, 1)
    assert (first, said) == (SandboxState(100, 1, 0), None)
    first.advanced(3).save(path)
    assert open_state(path, 100, 1) == (SandboxState(100, 1, 3), None)
    fresh, said = open_state(path, 200, 1)
    assert fresh == SandboxState(200, 1, 0) == SandboxState.load(path)
    assert said is not None
    assert "100 studies" in said
    assert "200 studies" in said


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"studies": "many", "seed": 1, "night": 0}'])
def test_a_spoiled_state_file_starts_a_fresh_registry(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ctgov.json"
    path.write_text(content)
    assert open_state(path, 10, 1) == (SandboxState(10, 1), None)
