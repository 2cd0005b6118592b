"""Pages of several queries, fetched at once while others are worked on; each query's pages come in order."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import NamedTuple

from ingest.clinicaltrials_gov.client import RegistryClient
from ingest.clinicaltrials_gov.decode import Body


class Chain(NamedTuple):
    """The next page of one query: `key` names the query, `token` continues it (None: its first page)."""

    key: str
    query: Mapping[str, str]
    token: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A page that was asked for, whatever came of it."""

    chain: Chain
    outcome: "Future[Body]"

    @property
    def body(self) -> Body:
        """The page. Raises what asking for it raised: RegistryError."""
        return self.outcome.result()


class Fetcher:
    """Holds at most `pages` pages: the one that is worked on, and those being fetched meanwhile.

    A page is 25-35 MB. Threads are daemons: nobody waits for a slow registry when the process is to end.
    """

    def __init__(self, client: RegistryClient, pages: int = 1):
        self._client, self._pages = client, pages
        self._fetching: dict[tuple[str, str | None], tuple[Chain, Future[Body]]] = {}

    def next(self, chains: Sequence[Chain]) -> Fetched:
        """The first page to arrive of those that the chains ask for; pages that nobody asks for any more are let go."""
        wanted = {(chain.key, chain.token): chain for chain in chains}
        self._fetching = {place: begun for place, begun in self._fetching.items() if place in wanted}
        for chain in chains:
            self._begin(chain, self._pages)
        wait([outcome for _, outcome in self._fetching.values()], return_when=FIRST_COMPLETED)
        place = next(place for place in wanted if place in self._fetching and self._fetching[place][1].done())
        fetched = Fetched(*self._fetching.pop(place))
        if fetched.outcome.exception() is None and (token := fetched.body.next_token):
            self._begin(fetched.chain._replace(token=token), self._pages - 1)
        return fetched

    def _begin(self, chain: Chain, most: int) -> None:
        place = (chain.key, chain.token)
        if place in self._fetching or len(self._fetching) >= most:
            return
        outcome: Future[Body] = Future()
        self._fetching[place] = chain, outcome
        threading.Thread(target=self._fetch, args=(chain, outcome), daemon=True, name="fetch a page").start()

    def _fetch(self, chain: Chain, outcome: "Future[Body]") -> None:
        first = {} if chain.token else {"countTotal": "true"}
        try:
            outcome.set_result(self._client.page({**chain.query, **first}, chain.token))
        except BaseException as error:
            outcome.set_exception(error)
