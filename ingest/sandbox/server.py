"""The API of one registry as an ASGI application, under `/api/v2`."""

import gzip
import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Protocol

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.fields import Place, modules_of, project
from ingest.sandbox.api.params import StudiesQuery, check_format, field_list, nct_number, single_values, studies_query
from ingest.sandbox.api.selection import Selection, Token, select
from ingest.sandbox.draws import mix
from ingest.sandbox.faults import FaultInjector, Faults
from ingest.sandbox.registry import API_VERSION, Registry

BASE_PATH = "/api/v2"
_REMEMBERED = 8
_EMPTY_STREAM = 402
# A page of 1,000 studies has 24 MB; more than the fastest level takes longer than making the studies.
_GZIP_LEVEL = 1
_GZIP_FROM_BYTES = 1000


class Store(Protocol):
    """Where the server finds tonight's registry; asked at every request."""

    def registry(self) -> Registry:
        """The registry as it is now: the same object until a night has passed."""


class Sandbox:
    """Answers requests from a store's registry. Selections are remembered for the pages that follow."""

    def __init__(self, store: Store, faults: Faults, compress: bool) -> None:
        self._store, self._faults, self._compress = store, faults, compress
        self._selections: OrderedDict[object, Selection] = OrderedDict()
        self._selected_from: Registry | None = None
        self._lock = Lock()
        self._pages = 0

    def studies(self, request: Request) -> Response:
        query = studies_query(request.query_params.multi_items())
        registry = self._store.registry()
        selection = self._selection(registry, query)
        token = Token.decode(query.page_token, query) if query.page_token else None
        start = selection.after(token.key) if token else 0
        page = selection.studies[start : start + query.page_size]
        total = len(selection.studies) if query.count_total and token is None else None
        if page and not (token and token.empty) and self._leaves_empty():
            before = token.key if token else (-(1 << 60), 0)
            return self._json(request, _page([], total, Token(before, True).encode(query)))
        # The registry gives a token with every full page, without looking whether anything follows.
        next_token = Token(selection.key(page[-1]), False).encode(query) if len(page) == query.page_size else None
        render = _renderer(registry, query.fields)
        return self._json(request, _page([render(index) for index in page], total, next_token))

    def study(self, request: Request) -> Response:
        nct = nct_number(request.path_params["nct_id"])
        if nct is None:
            raise BadRequest(f"Invalid value in parameter nctId: {request.path_params['nct_id']}")
        params = single_values(request.query_params.multi_items(), frozenset({"format", "markupFormat", "fields"}))
        check_format(params)
        fields = field_list(params)
        registry = self._store.registry()
        index = registry.find(nct)
        if index is None:
            return PlainTextResponse(f"NCT number {nct} not found", 404)
        return self._json(request, _renderer(registry, fields)(index))

    def version(self, request: Request) -> Response:
        single_values(request.query_params.multi_items(), frozenset())
        content = {"apiVersion": API_VERSION, "dataTimestamp": self._store.registry().timestamp}
        return self._json(request, orjson.dumps(content))

    def _selection(self, registry: Registry, query: StudiesQuery) -> Selection:
        """The studies of a request, counted and sorted once for all its pages."""
        # `fields` and `format` do not decide which studies are found.
        key = (query.conditions, query.ids, query.sort)
        with self._lock:
            if self._selected_from is not registry:
                self._selections.clear()
                self._selected_from = registry
            if key not in self._selections:
                self._selections[key] = select(registry, query)
                while len(self._selections) > _REMEMBERED:
                    self._selections.popitem(last=False)
            self._selections.move_to_end(key)
            return self._selections[key]

    def _leaves_empty(self) -> bool:
        self._pages += 1
        return mix(self._faults.seed, self._pages, _EMPTY_STREAM) / 2**64 < self._faults.empty_page

    def _json(self, request: Request, body: bytes) -> Response:
        headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
        accepted = re.search(r"\bgzip\b(?!;\s*q=0(\.0*)?\b)", request.headers.get("accept-encoding", ""))
        if self._compress and accepted and len(body) >= _GZIP_FROM_BYTES:
            # mtime 0: the same request is answered with the same bytes.
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(body, headers=headers)


def create_app(store: Store, faults: Faults | None = None, *, compress: bool = True) -> Starlette:
    """The API over a store's registry, with faults if any are asked for. `compress`: gzip for clients that take it."""
    faults = faults or Faults()
    sandbox = Sandbox(store, faults, compress)
    routes = [
        Route(f"{BASE_PATH}/studies", _answering(sandbox.studies)),
        Route(f"{BASE_PATH}/studies/{{nct_id}}", _answering(sandbox.study)),
        Route(f"{BASE_PATH}/version", _answering(sandbox.version)),
    ]
    middleware = [Middleware(FaultInjector, faults=faults)] if faults.any_request else []
    return Starlette(routes=routes, middleware=middleware)


def _answering(answer: Callable[[Request], Response]) -> Callable[[Request], object]:
    """An endpoint that works in a thread, since a page takes half a second, and answers refusals with their text."""

    async def endpoint(request: Request) -> Response:
        try:
            return await run_in_threadpool(answer, request)
        except BadRequest as error:
            return PlainTextResponse(str(error), 400)

    return endpoint


def _renderer(registry: Registry, fields: tuple[Place, ...] | None) -> Callable[[int], bytes]:
    if fields is None:
        return registry.render
    places = list(fields)
    modules = modules_of(places)
    return lambda index: orjson.dumps(project(registry.study(index, modules), places))


def _page(studies: list[bytes], total: int | None, next_token: str | None) -> bytes:
    """A page, every study on a line of its own as the registry gives them."""
    head = b"{" if total is None else b'{"totalCount":%d,' % total
    tail = b"]}" if next_token is None else b'],"nextPageToken":' + orjson.dumps(next_token) + b"}"
    return head + b'"studies":[\n' + b",\n".join(studies) + tail
