"""A server on loopback that speaks as much of the OpenAI API as the client uses, and can be told to misbehave."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, Any]]
Behaviour = Callable[[dict[str, Any]], Reply]


def completion(content: str | None, finish_reason: str = "stop") -> Reply:
    """200 with a chat completion of 100 tokens sent, 80 of them cached, and 20 received."""
    return 200, {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 80},
        },
    }


def reading(evidence: str, stop_reason: str = "regulatory", second_reason: str | None = None) -> Reply:
    """A chat completion that answers the task `stop_reasons`."""
    return completion(json.dumps({"evidence": evidence, "stop_reason": stop_reason, "second_reason": second_reason}))


def failure(status: int, message: str = "no") -> Reply:
    """An error as the API words it."""
    return status, {"error": {"message": message, "type": "x", "code": None}}


def whole_text(request: dict[str, Any]) -> Reply:
    """Answer every text with itself as evidence."""
    return reading(request["messages"][-1]["content"])


class OpenAIServer:
    """Serves until it is closed. `requests` are the bodies received, `keys` the API keys shown."""

    def __init__(self, behaviour: Behaviour = whole_text, delay: float = 0.0):
        self.behaviour, self.delay = behaviour, delay
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def texts(self) -> list[str]:
        """The last message of every request."""
        return [request["messages"][-1]["content"] for request in self.requests]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                outer.keys.append(self.headers.get("Authorization"))
                time.sleep(outer.delay)
                status, reply = outer.behaviour(body)
                payload = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output to themselves."""

        return Handler
