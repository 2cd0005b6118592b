"""A webhook on loopback that keeps what alerts say: where the drill's alerts go, and those of tests."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Takes apprise's JSON notifications and answers each with `status`.

    `messages` are the bodies that came, oldest first; `url` is the apprise address, with `credentials`
    (`user:password`) and `path` in it.
    """

    def __init__(self, status: int = 200, credentials: str = "", path: str = "/"):
        self.messages: list[dict[str, Any]] = []
        self._told = 0
        handler = type("Bound", (_Handler,), {"messages": self.messages, "status": status})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"json://{credentials}@{address}{path}" if credentials else f"json://{address}{path}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def new(self) -> list[str]:
        """Title, line break and body of what has come since this was last asked."""
        fresh = self.messages[self._told :]
        self._told += len(fresh)
        return [f"{note.get('title', '')}\n{note.get('message', '')}" for note in fresh]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    messages: list[dict[str, Any]]
    status: int

    def do_POST(self) -> None:
        self.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: whoever asks reads `messages`."""
