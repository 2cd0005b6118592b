"""Pages fetched ahead: in order for each query, never more at once than may be held."""

import threading
from typing import Any

import pytest

from ingest.clinicaltrials_gov.client import BadRequest
from ingest.clinicaltrials_gov.decode import Body
from ingest.clinicaltrials_gov.fetch import Chain, Fetcher


class Registry:
    """Three pages of each query; `held` are requested pages that nobody has taken, `most` the most there were."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, bool]] = []
        self.held = self.most = 0
        self.failing: set[str] = set()
        self._lock = threading.Lock()

    def page(self, query: dict[str, str], token: str | None = None) -> Body:
        with self._lock:
            self.asked.append((query["name"], token, "countTotal" in query))
            self.held += 1
            self.most = max(self.most, self.held)
        if token in self.failing:
            raise BadRequest("the token is refused")
        number = int(token or 0) + 1
        return Body(b"", {"studies": [], "nextPageToken": str(number) if number < 3 else None}, [])


def read_all(fetcher: Fetcher, registry: Registry, names: list[str]) -> list[tuple[str, str | None]]:
    left: dict[str, str | None] = dict.fromkeys(names)
    order = []
    while left:
        fetched = fetcher.next([Chain(name, {"name": name}, token) for name, token in left.items()])
        registry.held -= 1
        order.append((fetched.chain.key, fetched.chain.token))
        left[fetched.chain.key] = fetched.body.next_token
        if fetched.body.next_token is None:
            del left[fetched.chain.key]
    return order


@pytest.mark.parametrize("pages", [1, 2, 4])
def test_every_page_comes_once_in_order_and_few_are_held(pages: int) -> None:
    registry: Any = Registry()
    order = read_all(Fetcher(registry, pages), registry, ["a", "b", "c"])
    for name in "abc":
        assert [token for key, token in order if key == name] == [None, "1", "2"]
    assert sorted(registry.asked, key=str) == sorted(
        [(n, t, t is None) for n in "abc" for t in (None, "1", "2")], key=str
    )
    assert registry.most <= pages


def test_a_refused_token_is_told_to_who_takes_the_page() -> None:
    registry: Any = Registry()
    registry.failing = {"1"}
    fetcher = Fetcher(registry, 2)
    assert fetcher.next([Chain("a", {"name": "a"})]).body.next_token == "1"
    fetched = fetcher.next([Chain("a", {"name": "a"}, "1")])
    with pytest.raises(BadRequest, match="refused"):
        _ = fetched.body
    assert fetcher.next([Chain("a", {"name": "a"})]).body.next_token == "1"
