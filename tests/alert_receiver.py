"""A webhook on loopback that keeps what it is sent: where Apprise's json:// URLs lead in tests."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Answers every POST with `status`; `messages` are the bodies that came."""

    def __init__(self, status: int = 200):
        self.messages: list[dict[str, Any]] = []
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"json://watcher:top-secret-token@127.0.0.1:{self._server.server_port}/hooks/another-secret"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
