"""How fast studies get from the API's pages into Postgres, against a bare COPY and against stock dlt.

`python -m tests.benchmarks.load_studies --studies 20000` renders synthetic studies into pages, serves them from a
process of their own, runs each lane in a process of its own, and prints wall time, CPU seconds of client and Postgres,
peak memory, and their ratios to the bare COPY. Without --database-url it starts an embedded Postgres of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg2

PAGE_SIZE = 1000


@dataclass
class Measured:
    """One lane: seconds of the wall and of the CPUs, megabytes at the peak, of `studies` studies."""

    lane: str
    studies: int
    wall: float
    client_cpu: float
    peak_mb: int
    postgres_cpu: float = 0.0

    def per_thousand(self, seconds: float) -> float:
        return seconds / self.studies * 1000


def render_pages(studies: int, directory: Path) -> int:
    """Write pages as the API gives them, and the rows of them as one CSV file; returns the bytes of JSON."""
    from ingest.clinicaltrials_gov.decode import read_page
    from ingest.clinicaltrials_gov.files import BatchFiles
    from ingest.clinicaltrials_gov.studies import Study, read_study
    from ingest.sandbox.registry import SyntheticRegistry

    registry, size = SyntheticRegistry(1, studies, 0), 0
    rows = BatchFiles(directory / "rows", "load", datetime.now(timezone.utc), "first_load")
    for number, start in enumerate(range(0, studies, PAGE_SIZE)):
        records = [registry.render(index) for index in registry.by_update[start : start + PAGE_SIZE]]
        last = start + PAGE_SIZE >= studies
        token = b"" if last else b',"nextPageToken":"%d"' % (number + 1)
        page = b'{"totalCount":%d,"studies":[%b]%b}' % (studies, b",".join(records), token)
        (directory / f"{number}.json").write_bytes(page)
        size += len(page)
        for raw in read_page(page).studies():
            study = read_study(raw)
            assert isinstance(study, Study)
            rows.study(study)
    rows.finish()
    return size


def serve(directory: Path, studies: int, ready: Any) -> None:
    """Serve the pages until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            token = parse_qs(url.query).get("pageToken", ["0"])[0]
            if url.path.endswith("/version"):
                body = b'{"dataTimestamp":"2026-06-01T09:00:05"}'
            elif "fields" in url.query:
                body = b'{"totalCount":%d,"studies":[]}' % studies
            else:
                body = (directory / f"{token}.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.put(f"http://127.0.0.1:{server.server_port}/api/v2")
    server.serve_forever()


def copy_lane(_: str, database_url: str, directory: Path, limit: int) -> int:
    """The floor: COPY of finished rows into jsonb, with the same compression."""
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists floor; create table floor (like raw_ctgov.studies including all)")
        with (directory / "rows" / "studies.0.csv").open("rb") as rows:
            cursor.copy_expert("copy floor from stdin with (format csv, header)", rows)
        return cursor.rowcount


def load_lane(url: str, database_url: str, directory: Path, limit: int) -> int:
    """The project's own: pages to `raw_ctgov.studies`."""
    from ingest.clinicaltrials_gov import load

    summary = load(url, database_url, directory / "dlt", full=True)
    return summary.new + summary.changed + summary.unchanged


def stock_lane(url: str, database_url: str, directory: Path, limit: int) -> int:
    """dlt as it comes: records as nested tables, merged by id."""
    import dlt

    from ingest.clinicaltrials_gov.client import RegistryClient
    from ingest.pipelines import pipeline

    def studies() -> Iterator[Any]:
        client, token, left = RegistryClient(url), None, limit
        while left > 0:
            page = client.page({}, token)
            for raw, _ in zip(page.studies(), range(left), strict=False):
                yield {"nct_id": raw["protocolSection"]["identificationModule"]["nctId"], **raw}
            left -= PAGE_SIZE
            if (token := page.next_token) is None:
                return

    stock = pipeline("stock", "stock", database_url, directory / "dlt stock")
    stock.run(dlt.resource(studies, name="studies", primary_key="nct_id", write_disposition="merge"))
    return limit


LANES: dict[str, Callable[[str, str, Path, int], int]] = {
    "copy": copy_lane,
    "load": load_lane,
    "again": load_lane,
    "stock": stock_lane,
}


def run_lane(lane: str, url: str, database_url: str, directory: Path, limit: int) -> Measured:
    """Run a lane in this process and measure it; imports are not counted."""
    import ingest.clinicaltrials_gov.load  # noqa: F401

    wall, cpu = time.perf_counter(), time.process_time()
    studies = LANES[lane](url, database_url, directory, limit)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Measured(lane, studies, time.perf_counter() - wall, time.process_time() - cpu, peak)


def postgres_cpu(database_url: str) -> float:
    """CPU seconds of the whole server so far; 0 where it runs elsewhere."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("select (string_to_array(pg_read_file('postmaster.pid'), E'\\n'))[1]::int")
        row = cursor.fetchone()
    assert row is not None
    if not psutil.pid_exists(row[0]):
        return 0.0
    time.sleep(0.5)  # until the server has taken note of the backends that have just ended
    postmaster = psutil.Process(row[0])
    ended, seconds = postmaster.cpu_times(), 0.0
    for process in [postmaster, *postmaster.children()]:
        with suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:2])
    return seconds + ended.children_user + ended.children_system


def measure(lane: str, url: str, database_url: str, directory: Path, limit: int) -> Measured:
    """Run a lane in a process of its own."""
    before = postgres_cpu(database_url)
    command = [sys.executable, "-m", __spec__.name, "--lane", lane, url, database_url, str(directory), str(limit)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured = Measured(**json.loads(output.splitlines()[-1]))
    measured.postgres_cpu = postgres_cpu(database_url) - before
    return measured


@contextmanager
def database(url: str | None) -> Iterator[str]:
    """A database to use up: the given one, or one of an embedded server."""
    if url is not None:
        yield url
        return
    from orchestration.local.postgres import EmbeddedPostgres
    from tests.conftest import free_port

    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        try:
            yield server.url("postgres")
        finally:
            server.stop()


def print_table(results: list[Measured]) -> None:
    floor = results[0]
    print(f"{'lane':8}{'studies':>9}{'wall s':>9}{'x':>6}{'CPU s':>9}{'x':>6}{'peak MB':>9}{'studies/s':>11}")
    for result in results:
        cpu, floor_cpu = (m.per_thousand(m.client_cpu + m.postgres_cpu) for m in (result, floor))
        wall = result.per_thousand(result.wall) / floor.per_thousand(floor.wall)
        print(
            f"{result.lane:8}{result.studies:9,}{result.wall:9.1f}{wall:6.2f}"
            f"{result.client_cpu + result.postgres_cpu:9.1f}{cpu / floor_cpu:6.2f}"
            f"{result.peak_mb:9}{result.studies / result.wall:11,.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=20_000)
    parser.add_argument("--stock", type=int, default=1_000, help="studies for stock dlt, 0 to leave it out")
    parser.add_argument("--database-url", help="a database whose schema raw_ctgov may be dropped")
    parser.add_argument("--lane", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.lane:
        lane, url, database_url, directory, limit = arguments.lane
        print(json.dumps(asdict(run_lane(lane, url, database_url, Path(directory), int(limit)))))
        return
    compare(arguments.studies, arguments.stock, arguments.database_url)


def compare(studies: int, stock: int, database_url: str | None) -> None:
    """Measure every lane and print the table."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # In a process of its own: a child's peak memory begins with what its parent had.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            size = pool.submit(render_pages, studies, directory).result()
        print(f"{studies:,} studies, {size / 1e6:,.0f} MB of JSON, {size / studies / 1e3:.1f} KB each", flush=True)
        ready = get_context("spawn").Queue()
        server = get_context("spawn").Process(target=serve, args=(directory, studies, ready), daemon=True)
        server.start()
        stack.callback(server.terminate)
        url, warehouse = ready.get(), stack.enter_context(database(database_url))
        with closing(psycopg2.connect(warehouse)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("drop schema if exists raw_ctgov, raw_ctgov_staging, stock, stock_staging cascade")
        lanes = ["load", "again", "copy", *(["stock"] if stock else [])]
        results = {lane: measure(lane, url, warehouse, directory, stock) for lane in lanes}
        print_table([results["copy"], *(results[lane] for lane in lanes if lane != "copy")])


if __name__ == "__main__":
    main()
