"""Injected faults: as often as asked for, the same every time, and never in the way for good."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from starlette.testclient import TestClient

from ingest.sandbox.faults import Faults
from ingest.sandbox.malformed import BREAKS, ODD_TEXTS, MalformedRegistry
from ingest.sandbox.registry import SyntheticRegistry
from ingest.sandbox.serve import base_url, listen
from ingest.sandbox.server import create_app
from ingest.sandbox.state import FixedStore, with_faults

REGISTRY = SyntheticRegistry(1, 120, 0)


def client_of(faults: Faults) -> TestClient:
    store = FixedStore(with_faults(REGISTRY, faults))
    return TestClient(create_app(store, faults), base_url="http://sandbox/api/v2")


def patient_crawl(get: Callable[..., Any], page_size: int = 10) -> tuple[list[str], Counter[str]]:
    """Crawl as a loader does: every request up to three times. Returns ids and what was met on the way."""
    ids: list[str] = []
    met: Counter[str] = Counter()
    token = None
    while True:
        params = {"pageSize": page_size, "fields": "NCTId", **({"pageToken": token} if token else {})}
        for attempt in range(3):
            try:
                response = get("/studies", params=params)
                met[str(response.status_code)] += 1
                if response.status_code == 200:
                    page = response.json()
                    break
            except httpx.HTTPError as error:
                met[type(error).__name__] += 1
            assert attempt < 2, "failed three times in a row"
        ids += [study["protocolSection"]["identificationModule"]["nctId"] for study in page["studies"]]
        token = page.get("nextPageToken")
        met["empty"] += token is not None and not page["studies"]
        if token is None:
            return ids, met


@pytest.mark.parametrize("faults", [Faults(too_many=0.4), Faults(server_error=0.4), Faults(empty_page=0.4)])
def test_a_patient_client_gets_every_study_through_faults(faults: Faults) -> None:
    with client_of(faults) as client:
        ids, met = patient_crawl(client.get)
    assert sorted(ids) == [f"NCT9{i:07d}" for i in REGISTRY.by_index]
    assert sum(met[kind] for kind in ("429", "500", "empty")) >= 3


def test_even_if_everything_fails_the_third_try_succeeds() -> None:
    with client_of(Faults(server_error=1.0, empty_page=1.0)) as client:
        ids, met = patient_crawl(client.get)
    assert len(ids) == len(REGISTRY.by_index)
    assert met["500"] == 2 * met["200"]


def test_faults_are_the_same_every_time_and_others_with_another_seed() -> None:
    def codes(seed: int) -> list[int]:
        with client_of(Faults(too_many=0.2, server_error=0.2, seed=seed)) as client:
            return [client.get("/version").status_code for _ in range(40)]

    assert codes(1) == codes(1) != codes(2)
    assert {200, 429, 500} == set(codes(1))


def test_too_many_requests_say_when_to_come_back() -> None:
    with client_of(Faults(too_many=1.0, retry_after_seconds=3)) as client:
        assert client.get("/version").headers["retry-after"] == "3"
    with client_of(Faults(requests_per_minute=3)) as client:
        responses = [client.get("/version") for _ in range(5)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    assert 55 <= int(responses[-1].headers["retry-after"]) <= 61


@contextmanager
def served(faults: Faults) -> Iterator[str]:
    """A real server, since a body that ends too early only shows on a connection."""
    app = create_app(FixedStore(with_faults(REGISTRY, faults)), faults)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    with listen(0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield base_url(listening)
        finally:
            server.should_exit = True
            thread.join(10)


def test_truncated_bodies_break_the_connection_and_can_be_got_again() -> None:
    with served(Faults(truncate=0.5)) as url, httpx.Client(base_url=url) as client:
        ids, met = patient_crawl(client.get)
    assert len(ids) == len(REGISTRY.by_index)
    assert met["RemoteProtocolError"] >= 2


def test_requests_that_hang_time_out_and_end_by_themselves() -> None:
    with served(Faults(timeout=1.0, timeout_seconds=0.3)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/version", timeout=0.1)
        assert httpx.get(f"{url}/version").status_code == 504
        assert httpx.get(f"{url}/version").status_code == 200


def test_malformed_studies_are_as_many_as_asked_for_and_the_others_are_whole() -> None:
    malformed = MalformedRegistry(REGISTRY, 24, seed=1)
    assert len(malformed.broken) == len(malformed.odd) == 12
    share = MalformedRegistry(REGISTRY, 0.1, seed=1)
    assert len(share.broken) + len(share.odd) == 12
    for index in REGISTRY.by_index:
        differs = malformed.render(index) != REGISTRY.render(index)
        assert differs == (index in malformed.broken or index in malformed.odd)
    again = MalformedRegistry(REGISTRY, 24, seed=1)
    assert [again.render(i) for i in again.by_index] == [malformed.render(i) for i in malformed.by_index]


def test_odd_studies_are_legal_json_with_odd_titles() -> None:
    record = REGISTRY.render(1)
    titles = [json.loads(odd(record))["protocolSection"]["identificationModule"]["briefTitle"] for odd in ODD_TEXTS]
    assert any("\0" in title for title in titles)
    assert any("\ud83d" in title for title in titles)
    assert any("🧬" in title for title in titles)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(ODD_TEXTS[1](record))


def test_broken_studies_break_in_different_ways() -> None:
    records = [json.loads(change(REGISTRY.render(1))) for change in BREAKS]
    assert [record for record in records if not isinstance(record, dict)]
    assert [record for record in records if isinstance(record, dict) and "protocolSection" not in record]
    protocols = [
        record["protocolSection"] for record in records if isinstance(record, dict) and "protocolSection" in record
    ]
    ids = [protocol["identificationModule"].get("nctId", "absent") for protocol in protocols]
    assert {"absent", None, 90000001, "ISRCTN12345"} <= set(ids)
    assert [protocol for protocol in protocols if isinstance(protocol["statusModule"], list)]
    assert [p for p in protocols if p["statusModule"] and "2024-13-45" in json.dumps(p)]


def test_pages_with_malformed_studies_are_served() -> None:
    with client_of(Faults(malformed=0.5)) as client:
        text = client.get("/studies?pageSize=1000").text
        assert len(json.loads(text)["studies"]) == len(REGISTRY.by_index)
        ids = client.get("/studies?pageSize=1000&fields=NCTId").json()["studies"]
    assert len(ids) == len(REGISTRY.by_index)
