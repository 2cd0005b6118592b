"""Faults to be injected: what a registry does on a bad day, as often as asked for and never for good."""

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.sandbox.draws import mix

_STREAM = 401
_MOST_IN_A_ROW = 2


@dataclass(frozen=True)
class Faults:
    """Shares of requests (0-1) that go wrong, by kind; `malformed` is a number of studies, or a share below 1.

    Whether a request fails depends on the seed and on how many came before it. The same request fails at most twice
    in a row, so that a client which tries again three times gets through at any rate.
    """

    too_many: float = 0.0
    server_error: float = 0.0
    timeout: float = 0.0
    truncate: float = 0.0
    empty_page: float = 0.0
    malformed: float = 0.0
    seed: int = 1
    timeout_seconds: float = 120.0
    retry_after_seconds: int = 1
    requests_per_minute: int | None = None

    @property
    def any_request(self) -> bool:
        """Whether requests may fail at all."""
        return bool(self.too_many or self.server_error or self.timeout or self.truncate or self.requests_per_minute)


class FaultInjector:
    """ASGI middleware that makes requests fail as `Faults` says, and keeps to a rate limit per client address."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults
        self._requests = 0
        self._failed_in_a_row: defaultdict[str, int] = defaultdict(int)
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        wait = self._over_limit(scope)
        if wait is not None:
            return await _too_many(wait)(scope, receive, send)
        fault = self._fault(f"{scope['path']}?{scope['query_string'].decode('latin-1')}")
        if fault == "too_many":
            return await _too_many(self._faults.retry_after_seconds)(scope, receive, send)
        if fault == "server_error":
            return await PlainTextResponse("Internal Server Error", 500)(scope, receive, send)
        if fault == "timeout":
            await asyncio.sleep(self._faults.timeout_seconds)
            return await PlainTextResponse("Gateway Timeout", 504)(scope, receive, send)
        await self._app(scope, receive, _truncating(send) if fault == "truncate" else send)

    def _fault(self, url: str) -> str | None:
        """The fault of this request, if any, decided by its number."""
        self._requests += 1
        if self._failed_in_a_row[url] < _MOST_IN_A_ROW:
            roll = mix(self._faults.seed, self._requests, _STREAM) / 2**64
            for kind in ("too_many", "server_error", "timeout", "truncate"):
                roll -= getattr(self._faults, kind)
                if roll < 0:
                    self._failed_in_a_row[url] += 1
                    return kind
        del self._failed_in_a_row[url]
        return None

    def _over_limit(self, scope: Scope) -> int | None:
        """Seconds until the client may ask again, None if it may now."""
        limit = self._faults.requests_per_minute
        if limit is None:
            return None
        now, seen = time.monotonic(), self._recent[(scope.get("client") or ("",))[0]]
        while seen and now - seen[0] >= 60:
            seen.popleft()
        if len(seen) >= limit:
            return int(60 - (now - seen[0])) + 1
        seen.append(now)
        return None


def _too_many(wait: int) -> PlainTextResponse:
    return PlainTextResponse("Too Many Requests", 429, headers={"Retry-After": str(wait)})


def _truncating(send: Send) -> Send:
    """Half the body, then nothing: the server closes the connection, since the announced length was not reached."""

    async def send_half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return send_half
