"""What a batch reads: the pages of a crawl, the pages of several windows, or studies by their ids."""

from typing import Protocol

from ingest.clinicaltrials_gov.client import BadRequest, RegistryClient
from ingest.clinicaltrials_gov.crawl import UNDATED, Crawl
from ingest.clinicaltrials_gov.decode import Body
from ingest.clinicaltrials_gov.fetch import Chain, Fetcher
from ingest.clinicaltrials_gov.windows import Windows

# 200 ids of 11 characters keep the URL below the 4 KB that every server and proxy takes.
IDS_PER_REQUEST = 200


class Pages(Protocol):
    """Pages one after the other. What stands in for a crawl is moved on with each."""

    def has_more(self) -> bool:
        """Whether something is left to be read."""

    def next(self) -> Body | None:
        """The next page; None where the answer was not one and the reading goes on elsewhere. Raises RegistryError."""


class CrawlPages:
    """The pages of a crawl's legs."""

    def __init__(self, fetcher: Fetcher, crawl: Crawl):
        self._fetcher, self._crawl = fetcher, crawl

    def has_more(self) -> bool:
        return bool(self._crawl.legs)

    def next(self) -> Body | None:
        crawl = self._crawl
        fetched = self._fetcher.next([Chain(crawl.legs[0], crawl.query(), crawl.token)])
        try:
            body = fetched.body
        except BadRequest:
            if crawl.token is not None:
                crawl.token_expired()
            elif crawl.legs[0] == UNDATED:
                crawl.page_read(None)  # a registry that cannot be asked for them: comparing the ids finds them
            else:
                raise
            return None
        if crawl.token is None and body.total is not None:
            crawl.studies_expected = crawl.studies_read + body.total
        crawl.page_read(body.next_token)
        return body


class WindowPages:
    """The pages of windows, several of them at once."""

    def __init__(self, fetcher: Fetcher, windows: Windows):
        self._fetcher, self._windows = fetcher, windows

    def has_more(self) -> bool:
        return bool(self._windows.left)

    def next(self) -> Body | None:
        windows = self._windows
        fetched = self._fetcher.next([Chain(key, windows.query(key), token) for key, token in windows.left.items()])
        key = fetched.chain.key
        try:
            body = fetched.body
        except BadRequest:
            if fetched.chain.token is None:
                raise
            windows.token_expired(key)
            return None
        windows.page_read(key, body.next_token, body.total if fetched.chain.token is None else None)
        return body


class IdPages:
    """Some hundred studies at a time, asked for by id; `missing` shrinks."""

    def __init__(self, client: RegistryClient, missing: list[str]):
        self._client, self._missing = client, missing

    def has_more(self) -> bool:
        return bool(self._missing)

    def next(self) -> Body:
        body = self._client.page({"filter.ids": ",".join(self._missing[:IDS_PER_REQUEST])})
        del self._missing[:IDS_PER_REQUEST]
        return body
