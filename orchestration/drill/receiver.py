"""A webhook on loopback that keeps what alerts say: where the drill's alerts go."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Takes apprise's JSON notifications. `url` is its apprise address, `new()` what came since it was last asked."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._seen = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"messages": self._messages}))
        self.url = f"json://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def new(self) -> list[str]:
        """Messages (title, line break, body) that have not been asked for before, oldest first."""
        fresh = self._messages[self._seen :]
        self._seen += len(fresh)
        return fresh

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    messages: list[str]

    def do_POST(self) -> None:
        note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.messages.append(f"{note.get('title', '')}\n{note.get('message', '')}")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the drill shows what came."""
