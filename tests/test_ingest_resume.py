"""Loads that are killed at the worst moments, and the load after them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ingest.clinicaltrials_gov import BatchSummary, RegistryClient, StudyLoad
from ingest.clinicaltrials_gov.extract import BatchLimits
from tests.registry_server import Handler, Registry, fine, make_study

pytestmark = pytest.mark.integration

# A load in a process of its own, one page a batch, that kills itself when it comes to a step of dlt's a second time.
LOAD = """
import os, signal, sys
from pathlib import Path
from dlt.load.load import Load
from dlt.pipeline.pipeline import Pipeline
from ingest.clinicaltrials_gov import load
from ingest.clinicaltrials_gov.extract import BatchLimits

url, database_url, directory, step = sys.argv[1:]
calls = 0
owner = {"normalize": Pipeline, "load": Pipeline, "complete_package": Load}.get(step)
if owner:
    original = getattr(owner, step)
    def die(*args, **kwargs):
        global calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)
    setattr(owner, step, die)
# No page is asked for before the one before it is committed: what was asked for tells how far it came.
load(url, database_url, Path(directory), limits=BatchLimits(pages=1), pages_at_once=1)
"""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry([make_study(number, f"2024-05-{number:02}") for number in range(1, 13)]) as registry:
        registry.page_size = 3
        yield registry


def start(registry: Registry, database_url: str, directory: Path, step: str = "") -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", LOAD, registry.url, database_url, str(directory), step]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(registry: Registry, database_url: str, directory: Path) -> tuple[list[BatchSummary], StudyLoad]:
    registry.requests.clear()
    client = RegistryClient(registry.url, backoff=0.01)
    load = StudyLoad(registry.url, database_url, directory, client=client, limits=BatchLimits(pages=1))
    return [batch for _, batch in load.batches()], load


def rows(database_url: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("select nct_id, loaded_at, deleted_at from raw_ctgov.studies order by nct_id")
        return cursor.fetchall()


def pages_read(registry: Registry) -> int:
    return len([request for request in registry.page_requests() if request.get("pageSize") == "1000"])


@pytest.mark.parametrize("step", ["normalize", "load", "complete_package"])
def test_what_a_killed_run_had_extracted_is_loaded_first(
    registry: Registry, warehouse_url: str, tmp_path: Path, step: str
) -> None:
    killed = start(registry, warehouse_url, tmp_path, step)
    assert killed.wait(60) == -signal.SIGKILL, killed.communicate()[1]
    before = {row[0]: row for row in rows(warehouse_url)}
    batches, load = finish(registry, warehouse_url, tmp_path)
    assert batches[0].recovered
    assert batches[0].counts.new == 3
    # Two pages of four had been read by the killed run; neither is read again.
    assert pages_read(registry) == 2
    after = rows(warehouse_url)
    assert len(after) == 12
    assert not [row for row in after if row[0] in before and row != before[row[0]]]
    assert load.summary.resumed
    assert load.summary.difference == 0


def test_a_run_killed_while_it_reads_goes_on_from_the_last_batch(
    registry: Registry, warehouse_url: str, tmp_path: Path
) -> None:
    processes: list[subprocess.Popen[str]] = []

    def kill(_: Handler, __: dict[str, str]) -> bool:
        processes[0].kill()
        return True

    registry.faults = [fine, fine, kill]
    processes.append(start(registry, warehouse_url, tmp_path))
    assert processes[0].wait(60) == -signal.SIGKILL
    assert len(rows(warehouse_url)) == 6
    batches, load = finish(registry, warehouse_url, tmp_path)
    assert [batch.recovered for batch in batches] == [False, False]
    assert (pages_read(registry), len(rows(warehouse_url))) == (2, 12)
    assert load.summary.new == 6


def test_a_crawl_that_took_until_the_next_night_is_followed_by_that_nights(
    registry: Registry, warehouse_url: str, tmp_path: Path
) -> None:
    load = StudyLoad(registry.url, warehouse_url, tmp_path, limits=BatchLimits(pages=2))
    batches = load.batches()
    next(batches)
    batches.close()
    registry.version["dataTimestamp"] = "2024-06-02T09:00:05"
    registry.studies[0]["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": "2024-06-02"}
    _, load = finish(registry, warehouse_url, tmp_path)
    assert load.summary.resumed
    assert (load.summary.new, load.summary.changed, load.summary.difference) == (6, 1, 0)
    assert finish(registry, warehouse_url, tmp_path)[1].summary.nothing_to_do


def test_a_batch_extracted_for_another_warehouse_is_dropped(
    registry: Registry, warehouse_url: str, tmp_path: Path
) -> None:
    assert start(registry, warehouse_url, tmp_path, "load").wait(60) == -signal.SIGKILL
    with closing(psycopg2.connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop schema raw_ctgov cascade; drop schema raw_ctgov_staging cascade")
    batches, load = finish(registry, warehouse_url, tmp_path)
    assert not batches[0].recovered
    assert (load.summary.new, len(rows(warehouse_url))) == (12, 12)


def test_a_killed_load_leaves_no_lock(registry: Registry, warehouse_url: str, tmp_path: Path) -> None:
    def stop(_: Handler, __: dict[str, str]) -> bool:
        os.kill(process.pid, signal.SIGKILL)
        return True

    registry.faults = [stop]
    process = start(registry, warehouse_url, tmp_path)
    assert process.wait(60) == -signal.SIGKILL
    assert finish(registry, warehouse_url, tmp_path)[1].summary.new == 12
