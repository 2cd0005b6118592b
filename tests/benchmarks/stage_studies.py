"""What staging costs: a full build, a night of 1%, a night without work, against a bare COPY of the same rows.

`python -m tests.benchmarks.stage_studies --studies 20000` (synthetic) or `--records FILE.ndjson.gz` (one record a line)
fills an embedded Postgres of its own and prints seconds, the dearest models, ratios, sizes and peak memory. dbt's own
start is part of every figure, as it is part of every night.
"""

import argparse
import gzip
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from ingest.clinicaltrials_gov.schema import INDEXES
from orchestration.local.postgres import EmbeddedPostgres
from orchestration.meanwhile import meanwhile
from tests.conftest import free_port
from tests.dbt_warehouse import DbtWarehouse

BATCH = 1000
STAGING = ("--select", "path:models/staging")
SHOWN = 8


@dataclass
class Build:
    """One dbt run: seconds of the wall, of each model, and megabytes of dbt and of Postgres' processes at the peak."""

    name: str
    wall: float = 0.0
    models: dict[str, float] = field(default_factory=dict)
    dbt_mb: int = 0
    postgres_mb: int = 0


def synthetic(studies: int) -> Iterator[dict[str, Any]]:
    from ingest.sandbox.registry import SyntheticRegistry

    registry = SyntheticRegistry(1, studies, 0)
    return (json.loads(registry.render(index)) for index in registry.by_index)


def recorded(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file; NUL cannot be in jsonb, and a study that is there twice counts once."""
    seen = set()
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        for line in lines:
            record = json.loads(line.replace(b"\\u0000", b""))
            nct_id = record["protocolSection"]["identificationModule"]["nctId"]
            if nct_id not in seen:
                seen.add(nct_id)
                yield record


def fill(warehouse: DbtWarehouse, records: Iterable[dict[str, Any]]) -> int:
    warehouse.create_tables()
    rest, count = iter(records), 0
    while batch := list(islice(rest, BATCH)):
        warehouse.load(batch, "2026-01-01")
        count += len(batch)
    warehouse.execute(INDEXES + "analyze raw_ctgov.studies")
    return count


def touch(warehouse: DbtWarehouse, share: float) -> int:
    """Have a share of the studies, spread evenly, look as if a load had just renewed them."""
    every = round(1 / share)
    warehouse.execute(
        "update raw_ctgov.studies set loaded_at = now() where nct_id in "
        f"(select nct_id from (select nct_id, row_number() over (order by nct_id) as n from raw_ctgov.studies) as s "
        f"where n % {every} = 0)"
    )
    return int(warehouse.rows("select count(*) from raw_ctgov.studies where loaded_at > '2026-06-01'")[0][0])


def measure(warehouse: DbtWarehouse, name: str, *arguments: str) -> Build:
    build, began = Build(name), time.monotonic()
    with _watching(build):
        warehouse.run(*STAGING, *arguments)
    build.wall = time.monotonic() - began
    results = json.loads((warehouse.scratch / "target" / "run_results.json").read_text())["results"]
    build.models = {
        r["unique_id"].split("__")[-1]: r["execution_time"] for r in results if r["unique_id"].startswith("model.")
    }
    return build


def copy_floor(warehouse: DbtWarehouse) -> tuple[float, int]:
    """Seconds that a bare COPY of all staged rows into tables without an index takes, and how many rows there are."""
    tables = warehouse.rows("select tablename from pg_tables where schemaname = 'ctgov' order by 1")
    warehouse.execute("drop schema if exists floor cascade; create schema floor")
    seconds, rows = 0.0, 0
    with closing(psycopg2.connect(warehouse.url)) as connection, connection, connection.cursor() as cursor:
        for (name,) in tables:
            with tempfile.TemporaryFile() as file:
                cursor.copy_expert(f"copy ctgov.{name} to stdout", file)
                file.seek(0)
                began = time.monotonic()
                cursor.execute(f"create table floor.{name} (like ctgov.{name})")
                cursor.copy_expert(f"copy floor.{name} from stdin", file)
                seconds += time.monotonic() - began
                rows += cursor.rowcount
    warehouse.execute("drop schema floor cascade")
    return seconds, rows


def _watching(build: Build) -> AbstractContextManager[None]:
    """Look at the memory of dbt, our only child, and of Postgres' processes (their private part) ten times a second."""

    def look(_: threading.Event) -> None:
        dbt, postgres = 0, 0
        for process in psutil.process_iter(["name", "ppid"]):
            with suppress(psutil.Error):
                if process.info["ppid"] == os.getpid() and process.info["name"] != "postgres":
                    dbt += process.memory_info().rss
                elif process.info["name"] == "postgres":
                    memory = process.memory_info()
                    postgres += memory.rss - memory.shared
        build.dbt_mb = max(build.dbt_mb, dbt // 2**20)
        build.postgres_mb = max(build.postgres_mb, postgres // 2**20)

    return meanwhile(look, 0.1)


def report(
    count: int, builds: list[Build], floor: tuple[float, int], size: list[tuple[Any, ...]], touched: int
) -> None:
    full, delta, idle = builds
    print(f"\n{count:,} studies, {len(full.models)} models, {floor[1]:,} rows staged")
    for build in builds:
        print(
            f"  {build.name:<24}{build.wall:8.1f} s  of it models {sum(build.models.values()):7.1f} s   "
            f"dbt {build.dbt_mb} MB, Postgres {build.postgres_mb} MB at the peak"
        )
    print(f"  {'bare COPY of the rows':<24}{floor[0]:8.1f} s")
    print(f"  full build: {count / full.wall:,.0f} studies a second, {full.wall / floor[0]:.1f} times the COPY")
    print(f"  {touched:,} studies changed ({touched / count:.1%}): {delta.wall / full.wall:.3f} of the full build")
    constant, work = sum(idle.models.values()), sum(delta.models.values())
    print(
        f"  a model without work: {constant / len(idle.models) * 1000:.0f} ms; what the changes add to them all: "
        f"{work - constant:.2f} s, {(work - constant) / sum(full.models.values()):.3f} of the full build's models"
    )
    print(f"  database {size[0][0]}, raw {size[0][1]}, ctgov {size[0][2]}")
    for name, seconds in sorted(full.models.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"    {name:<28}{seconds:7.2f} s full {delta.models[name]:6.2f} s delta {idle.models[name]:6.2f} s idle")


SIZES = """
select pg_size_pretty(pg_database_size(current_database())),
    pg_size_pretty(sum(pg_total_relation_size(c.oid)) filter (where nspname = 'raw_ctgov')),
    pg_size_pretty(sum(pg_total_relation_size(c.oid)) filter (where nspname = 'ctgov'))
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace where relkind = 'r'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=20_000, help="how many synthetic studies (default 20000)")
    parser.add_argument("--records", type=Path, help="a file of records instead, one JSON a line")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bioloupe-benchmark-") as folder:
        Path(folder).chmod(0o755)
        os.environ["PGPASSFILE"] = str(Path(folder) / "pgpass")
        server = EmbeddedPostgres(Path(folder), free_port())
        server.start()
        try:
            with closing(psycopg2.connect(server.url("postgres"))) as connection:
                connection.autocommit = True
                connection.cursor().execute("create database staging")
            warehouse = DbtWarehouse(server.url("staging"), Path(folder))
            count = fill(warehouse, recorded(chosen.records) if chosen.records else synthetic(chosen.studies))
            warehouse.dbt("parse")
            full = measure(warehouse, "full build", "--full-refresh")
            touched = touch(warehouse, 0.01)
            builds = [full, measure(warehouse, "1% changed"), measure(warehouse, "nothing changed")]
            report(count, builds, copy_floor(warehouse), warehouse.rows(SIZES), touched)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
