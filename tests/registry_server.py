"""A tiny ClinicalTrials.gov API v2 over HTTP that serves given records, with faults to order; a tool for tests."""

import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_number = count()
Fault = Callable[["Handler", dict[str, str]], bool]
_RANGE = re.compile(r"AREA\[(LastUpdatePostDate|StudyFirstPostDate)\]RANGE\[([\d-]+),([\d-]+|MAX)\]")
_TYPE = re.compile(r"AREA\[StudyType\](\w+)")
_STATUS = {"LastUpdatePostDate": "lastUpdatePostDateStruct", "StudyFirstPostDate": "studyFirstPostDateStruct"}


def make_study(
    number: int, updated: str | None = "2024-01-01", *, posted: str | None = None, **more: Any
) -> dict[str, Any]:
    """A small record, first `posted` on a day; `more` are further modules of its protocol section."""
    status: dict[str, Any] = {"overallStatus": "RECRUITING", "startDateStruct": {"date": "2020-05"}}
    if updated:
        status["lastUpdatePostDateStruct"] = {"date": updated, "type": "ACTUAL"}
    if posted:
        status["studyFirstPostDateStruct"] = {"date": posted, "type": "ACTUAL"}
    return {
        "protocolSection": {
            "identificationModule": {"nctId": f"NCT{number:08}", "briefTitle": f"Study {number}"},
            "statusModule": status,
            **more,
        },
        "derivedSection": {"miscInfoModule": {"versionHolder": "2024-06-01"}},
        "hasResults": False,
    }


def study_id(study: Any) -> str | None:
    try:
        return str(study["protocolSection"]["identificationModule"]["nctId"])
    except (KeyError, TypeError):
        return None


def updated_on(study: Any) -> str:
    return dated(study, "LastUpdatePostDate")


def dated(study: Any, area: str) -> str:
    try:
        return str(study["protocolSection"]["statusModule"][_STATUS[area]]["date"])
    except (KeyError, TypeError):
        return ""


def type_of(study: Any) -> str:
    try:
        return str(study["protocolSection"]["designModule"]["studyType"])
    except (KeyError, TypeError):
        return "MISSING"


class Registry:
    """The records and how they are served. Everything may be changed between, and during, requests.

    `faults` are asked in turn, one for each request to `/studies`; one that returns True has answered it.
    `page_size` caps what is asked. `knows_missing`: whether expressions with MISSING are understood.
    """

    def __init__(self, studies: list[Any]):
        self.studies = studies
        self.version = {"apiVersion": "2.0.5", "dataTimestamp": "2024-06-01T09:00:05"}
        self.page_size = 1000
        self.faults: list[Fault] = []
        self.requests: list[dict[str, str]] = []
        self.knows_missing = True
        self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"registry": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v2"

    def __enter__(self) -> "Registry":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page_requests(self) -> list[dict[str, str]]:
        """The requests for whole records."""
        return [request for request in self.requests if "fields" not in request]

    def find(self, query: dict[str, str]) -> list[Any]:
        found = sorted(self.studies, key=updated_on)
        if ids := query.get("filter.ids"):
            found = [study for study in found if study_id(study) in ids.split(",")]
        expression = query.get("filter.advanced", "")
        for area, first, last in _RANGE.findall(expression):
            until = "9999" if last == "MAX" else last
            found = [study for study in found if first <= dated(study, area) <= until]
        if wanted := _TYPE.search(expression):
            found = [study for study in found if type_of(study) == wanted[1]]
        if "AREA[LastUpdatePostDate]MISSING" in expression:
            found = [study for study in found if not updated_on(study)]
        return found


class Server(ThreadingHTTPServer):
    """A server that says nothing of clients that hang up: some tests kill theirs."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class Handler(BaseHTTPRequestHandler):
    """Answers `/api/v2/version` and `/api/v2/studies`."""

    registry: Registry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        if url.path == "/api/v2/version":
            return self.answer(self.registry.version)
        self.registry.requests.append(query)
        if self.registry.faults and self.registry.faults.pop(0)(self, query):
            return None
        return self._studies(query)

    def _studies(self, query: dict[str, str]) -> None:
        start, asked = 0, parameters(query)
        if token := query.get("pageToken"):
            start, first_asked = read_token(token)
            if first_asked != asked:
                return self.answer({"error": "bad pageToken"}, 400)
        if "MISSING" in asked and not self.registry.knows_missing:
            return self.answer({"error": "cannot parse the expression"}, 400)
        found = self.registry.find(query)
        end = start + min(int(query.get("pageSize", 10)), self.registry.page_size)
        page: dict[str, Any] = {"totalCount": len(found)} if query.get("countTotal") == "true" else {}
        page["studies"] = [_only_id(study) if "fields" in query else study for study in found[start:end]]
        if end < len(found):
            page["nextPageToken"] = make_token(end, asked)
        return self.answer(page)

    def answer(self, value: Any, status: int = 200, cut: int = 0, **headers: str) -> None:
        """Send JSON; `cut` leaves out that many of its last bytes."""
        body = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        body = body[: len(body) - cut]
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _only_id(study: Any) -> Any:
    return {"protocolSection": {"identificationModule": {"nctId": study_id(study)}}} if study_id(study) else study


def status(code: int, **headers: str) -> Fault:
    """Answer once with this status."""

    def fault(handler: Handler, _: dict[str, str]) -> bool:
        handler.answer({"error": code}, code, **headers)
        return True

    return fault


def truncated(handler: Handler, _: dict[str, str]) -> bool:
    """Half a body that says it is whole."""
    handler.answer({"studies": [make_study(1)] * 3}, cut=100)
    return True


def broken_off(handler: Handler, _: dict[str, str]) -> bool:
    """A connection that ends before the body does."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"studies":[')
    handler.close_connection = True
    return True


def hangs(handler: Handler, _: dict[str, str]) -> bool:
    """No answer for longer than the tests' client waits."""
    time.sleep(1.5)
    handler.close_connection = True
    return True


def empty_page(handler: Handler, query: dict[str, str]) -> bool:
    """A page without studies, though there are more."""
    start = read_token(query["pageToken"])[0] if "pageToken" in query else 0
    handler.answer({"studies": [], "nextPageToken": make_token(start, parameters(query))})
    return True


def parameters(query: dict[str, str]) -> str:
    """What every page of a crawl has to repeat."""
    same = {k: v for k, v in query.items() if k not in ("pageToken", "pageSize", "countTotal")}
    return json.dumps(same, sort_keys=True)


def make_token(start: int, asked: str) -> str:
    return json.dumps([start, asked, next(_number)]).encode().hex()


def read_token(token: str) -> tuple[int, str]:
    start, asked, _ = json.loads(bytes.fromhex(token))
    return start, asked


def fine(_: Handler, __: dict[str, str]) -> bool:
    """No fault: lets one request pass."""
    return False
