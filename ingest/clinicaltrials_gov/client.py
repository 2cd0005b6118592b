"""The HTTP side of ClinicalTrials.gov's API v2: polite, patient, one page at a time.

Source: https://clinicaltrials.gov/data-api/api
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from dlt.sources.helpers.requests import Session
from dlt.sources.helpers.requests.retry import retry_if_status, wait_exponential_retry_after
from requests import HTTPError, Response
from requests.exceptions import ChunkedEncodingError, ConnectionError, ContentDecodingError, Timeout
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from ingest.clinicaltrials_gov.decode import BadBody, Body, decode, read_page

log = logging.getLogger(__name__)

PAGE_SIZE = 1000
# The public host answers 429 beyond about 50 requests a minute from one address.
PUBLIC_HOST = "clinicaltrials.gov"
PUBLIC_REQUESTS_PER_MINUTE = 50.0
_WORTH_RETRYING = (ConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError, BadBody)
_RETRY_STATUS = (408, 425, 429, *range(500, 600))
_LONGEST_WAIT_SECONDS = 900


class RegistryError(Exception):
    """The registry refused a request or answered what cannot be used; the message says which and why."""


class BadRequest(RegistryError):
    """The registry answered 400: a page token that has expired, or an expression that it does not understand."""


@dataclass(frozen=True)
class Version:
    """What `/version` says. `data_timestamp` is UTC without a zone, None where the server gives none."""

    api_version: str | None
    data_timestamp: str | None


class RegistryClient:
    """Requests to one registry, spaced and retried.

    `requests_per_minute` None means 50 against the public host and no limit elsewhere. `timeout` is seconds to wait
    for a connection and for the next bytes. The n-th retry waits `backoff * 2**(n-1)` seconds, or as long as the
    server's Retry-After says.
    """

    def __init__(
        self,
        api_url: str,
        *,
        requests_per_minute: float | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        attempts: int = 7,
        backoff: float = 1.0,
    ):
        self.api_url = api_url.rstrip("/")
        self._session = Session(timeout=timeout)
        self._session.headers["Accept"] = "application/json"
        self._interval = _seconds_between_requests(self.api_url, requests_per_minute)
        self._next_request = 0.0
        self._retrying = Retrying(
            retry=retry_if_status(_RETRY_STATUS) | retry_if_exception_type(_WORTH_RETRYING),
            wait=wait_exponential_retry_after(multiplier=backoff, max=_LONGEST_WAIT_SECONDS),
            stop=stop_after_attempt(attempts),
            before_sleep=_log_retry,
            reraise=True,
        )

    @cached_property
    def version(self) -> Version:
        """What the registry said of itself when first asked. Raises RegistryError."""
        try:
            answer = self._get("/version", {}, decode)
        except RegistryError as error:
            if "404" in str(error):
                return Version(None, None)
            raise
        answer = answer if isinstance(answer, dict) else {}
        return Version(answer.get("apiVersion"), answer.get("dataTimestamp"))

    def page(self, query: Mapping[str, str], token: str | None = None) -> Body:
        """One page of `/studies`. `query` must be the same for all pages of a crawl. Raises RegistryError."""
        parameters = {"pageSize": str(PAGE_SIZE), **query}
        body: Body = self._get("/studies", {**parameters, "pageToken": token} if token else parameters, read_page)
        if token and body.next_token == token:
            raise RegistryError(f"{self.api_url}/studies gave the same page token twice; it would never end")
        return body

    def total(self, query: Mapping[str, str]) -> int | None:
        """How many studies the query finds. Raises RegistryError."""
        return self.page({**query, "countTotal": "true", "pageSize": "1", "fields": "NCTId"}).total

    def _get(self, path: str, parameters: Mapping[str, str], read: Any) -> Any:
        url = self.api_url + path
        try:
            return self._retrying(self._attempt, url, parameters, read)
        except HTTPError as error:
            status, text = (error.response.status_code, error.response.text) if error.response is not None else (0, "")
            raise (BadRequest if status == 400 else RegistryError)(f"{url} answered {status}: {text[:300]}") from error
        except _WORTH_RETRYING as error:
            raise RegistryError(f"no usable answer from {url}, asked several times: {_innermost(error)}") from error

    def _attempt(self, url: str, parameters: Mapping[str, str], read: Any) -> Any:
        self._wait_for_turn()
        with self._session.get(url, params=dict(parameters), stream=True) as response:
            return read(_body(response))

    def _wait_for_turn(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_request - now))
        self._next_request = max(now, self._next_request) + self._interval


def _body(response: Response) -> bytearray:
    """The whole body; collecting it in one buffer needs half the memory of `response.content`."""
    body = bytearray()
    for chunk in response.iter_content(2**18):
        body += chunk
    return body


def _seconds_between_requests(api_url: str, requests_per_minute: float | None) -> float:
    host = urlsplit(api_url).hostname or ""
    if requests_per_minute is None and (host == PUBLIC_HOST or host.endswith("." + PUBLIC_HOST)):
        requests_per_minute = PUBLIC_REQUESTS_PER_MINUTE
    return 60 / requests_per_minute if requests_per_minute else 0.0


def _innermost(error: BaseException) -> BaseException:
    """What went wrong in the end: requests and urllib3 wrap it in layers that repeat the address."""
    while (reason := getattr(error, "reason", None) or next(iter(error.args), None)) and isinstance(
        reason, BaseException
    ):
        error = reason
    return error


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0
    log.warning("asking again in %.0f s: %s", wait, error)
