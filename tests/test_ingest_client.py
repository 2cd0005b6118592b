"""Requests to a registry that is busy, broken or slow."""

import time
from collections.abc import Iterator

import pytest

from ingest.clinicaltrials_gov.client import BadRequest, RegistryClient, RegistryError, Version
from tests.registry_server import (
    Fault,
    Handler,
    Registry,
    broken_off,
    empty_page,
    hangs,
    make_study,
    status,
    truncated,
)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry([make_study(number) for number in range(5)]) as registry:
        registry.page_size = 2
        yield registry


def client(registry: Registry, **options: float) -> RegistryClient:
    return RegistryClient(registry.url, backoff=0.01, timeout=(1.0, 0.5), attempts=4, **options)  # type: ignore[arg-type]


def test_pages_follow_each_other(registry: Registry) -> None:
    asking, token, read = client(registry), None, 0
    for _ in range(3):
        page = asking.page({"sort": "x"}, token)
        read, token = read + len(list(page.studies())), page.next_token
    assert (read, token) == (5, None)
    assert all(request["sort"] == "x" for request in registry.requests)
    assert asking.total({}) == 5


@pytest.mark.parametrize("fault", [status(429), status(500), status(503), truncated, broken_off, hangs])
def test_what_passes_is_tried_again(registry: Registry, fault: Fault) -> None:
    registry.faults = [fault, fault]
    assert len(list(client(registry).page({}).studies())) == 2
    assert len(registry.requests) == 3


def test_retry_after_is_waited_for(registry: Registry) -> None:
    registry.faults = [status(429, Retry_After="1")]
    began = time.monotonic()
    client(registry).page({})
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("fault", [status(500), truncated])
def test_what_does_not_pass_is_an_error_with_the_address(registry: Registry, fault: Fault) -> None:
    registry.faults = [fault] * 4
    with pytest.raises(RegistryError, match="/studies"):
        client(registry).page({})
    assert len(registry.requests) == 4


def test_a_bad_request_is_not_tried_again(registry: Registry) -> None:
    registry.faults = [status(400)]
    with pytest.raises(BadRequest, match="answered 400"):
        client(registry).page({})
    assert len(registry.requests) == 1


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RegistryError):
        RegistryClient("http://127.0.0.1:9/api/v2", attempts=1).page({})


def test_an_empty_page_is_a_page(registry: Registry) -> None:
    registry.faults = [empty_page]
    page = client(registry).page({})
    assert list(page.studies()) == []
    assert page.next_token


def test_a_token_that_comes_back_is_an_error(registry: Registry) -> None:
    def again(handler: Handler, query: dict[str, str]) -> bool:
        handler.answer({"studies": [], "nextPageToken": query["pageToken"]})
        return True

    registry.faults = [again]
    with pytest.raises(RegistryError, match="twice"):
        client(registry).page({}, "token")


def test_the_version_is_asked_once(registry: Registry) -> None:
    asking = client(registry)
    assert asking.version == Version("2.0.5", "2024-06-01T09:00:05")
    registry.version = {}
    assert asking.version.data_timestamp == "2024-06-01T09:00:05"


def test_requests_are_spaced(registry: Registry) -> None:
    asking = client(registry, requests_per_minute=600)
    began = time.monotonic()
    for _ in range(4):
        asking.page({})
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("https://clinicaltrials.gov/api/v2", 1.2),
        ("https://www.clinicaltrials.gov/api/v2/", 1.2),
        ("http://x/api/v2", 0),
    ],
)
def test_the_public_host_is_asked_politely(url: str, seconds: float) -> None:
    assert RegistryClient(url)._interval == seconds
