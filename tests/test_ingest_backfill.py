"""Windows loaded beside the nightly crawl, by several processes' worth of connections at once."""

import os
import subprocess
import sys
import threading
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

import psycopg2
import pytest

from ingest.clinicaltrials_gov import LoadInProgress, LoadSummary, RegistryClient, WindowLoad
from ingest.clinicaltrials_gov.extract import BatchLimits
from tests.ingest_house import House, house, nct, update
from tests.registry_server import fine, make_study, status

pytestmark = pytest.mark.integration
__all__ = ["house"]

DAYS = [f"2024-05-{day:02}" for day in range(1, 13)]


def window_load(house: House, kind: Any, keys: list[str], **options: Any) -> WindowLoad:
    client = RegistryClient(house.registry.url, backoff=0.01, timeout=(1.0, 5.0))
    return WindowLoad(house.registry.url, house.url, house.directory, kind=kind, keys=keys, client=client, **options)


def backfill(house: House, kind: Any, *keys: str, **options: Any) -> LoadSummary:
    return window_load(house, kind, list(keys), **options).run()


def test_a_window_loads_just_its_studies_and_leaves_the_nightly_position_alone(house: House) -> None:
    house.load()
    house.next_night()
    update(house.registry.studies[1], "2024-05-20")
    update(house.registry.studies[2], "2024-05-21")
    before = house.rows()
    load = window_load(house, "update_day", ["2024-05-20", "2024-05-25"])
    summary = load.run()
    assert (summary.changed, summary.studies, summary.gone) == (1, 1, 0)
    assert load.found == {
        "2024-05-20": {"studies": 1, "new": 0, "changed": 1},
        "2024-05-25": {"studies": 0, "new": 0, "changed": 0},
    }
    assert house.loaded_since(before) == {nct(2)}
    assert house.query("select found_by from raw_ctgov.studies where nct_id = 'NCT00000002'") == [("backfill",)]
    assert house.query("select count(*) from raw_ctgov.registry_versions") == [(1,)]
    house.registry.requests.clear()
    nightly = house.load()
    assert (nightly.changed, nightly.nothing_to_do) == (1, False)
    assert house.registry.page_requests()[0]["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2024-05-11,MAX]"


def test_a_registry_is_loaded_month_by_month_and_type_by_type(house: House) -> None:
    house.registry.studies = [
        make_study(n, "2024-05-01", posted=f"2020-{n:02}-28", designModule={"studyType": "OBSERVATIONAL"})
        for n in range(1, 13)
    ]
    summary = backfill(house, "first_posted_month", "2020-02-01", "2020-03-01", "2020-04-01")
    assert (summary.new, set(house.rows())) == (3, {nct(2), nct(3), nct(4)})
    assert house.query("select distinct found_by from raw_ctgov.studies") == [("first_load",)]
    assert backfill(house, "study_type", "OBSERVATIONAL", "MISSING").new == 9
    assert house.load().unchanged == 12


def test_windows_stay_within_the_scope(house: House) -> None:
    backfill(house, "update_day", "2024-05-02", scope="AREA[StudyType]OBSERVATIONAL")
    asked = house.registry.page_requests()[-1]["filter.advanced"]
    assert asked == "(AREA[StudyType]OBSERVATIONAL) AND AREA[LastUpdatePostDate]RANGE[2024-05-02,2024-05-02]"
    assert not house.rows()


def test_no_working_files_are_left(house: House) -> None:
    backfill(house, "update_day", *DAYS)
    assert not list(house.directory.glob("clinicaltrials_gov_update_day_*"))


def test_a_refused_token_costs_pages_and_no_study(house: House) -> None:
    for study in house.registry.studies:
        update(study, "2024-05-05")
    house.registry.faults = [fine, fine, status(400)]
    summary = backfill(house, "update_day", "2024-05-05", pages_at_once=1)
    assert len(house.rows()) == 12
    assert summary.new == 12


def test_an_interrupted_backfill_goes_on_where_it_was(house: House) -> None:
    load = window_load(house, "update_day", DAYS, limits=BatchLimits(pages=5), pages_at_once=1)
    batches = load.batches()
    next(batches)
    batches.close()
    assert len(house.rows()) == 5
    house.registry.requests.clear()
    again = window_load(house, "update_day", DAYS)
    summary = again.run()
    assert (summary.resumed, summary.new, len(house.registry.page_requests())) == (True, 7, 7)
    assert sum(found["new"] for found in again.found.values()) == 12


def test_what_was_extracted_is_dropped_where_another_load_used_the_staging_tables(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = window_load(house, "update_day", DAYS)

    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(load.pipeline), "load", killed)
        with pytest.raises(Killed):
            load.run()
    backfill(house, "update_day", "2024-05-03")
    again = window_load(house, "update_day", DAYS)
    recovered = [batch.recovered for _, batch in again.batches()]
    assert (recovered, len(house.rows())) == ([False], 12)


def test_the_same_windows_at_once_are_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    load = window_load(house, "update_day", DAYS, limits=BatchLimits(pages=5))
    batches = load.batches()
    next(batches)
    monkeypatch.setattr("ingest.clinicaltrials_gov.loading.LOCK_WAIT_SECONDS", 0.1)
    with pytest.raises(LoadInProgress, match="session"):
        backfill(house, "update_day", *DAYS)
    batches.close()


def test_a_row_that_another_load_has_renewed_meanwhile_is_not_set_back(house: House) -> None:
    house.load()
    house.next_night()
    update(house.registry.studies[4], "2024-06-01")
    load = window_load(house, "update_day", ["2024-06-01"])
    original = load.pipeline.normalize

    def nightly_comes_between() -> Any:
        update(house.registry.studies[4], "2024-06-02")
        house.registry.studies[4]["text"] = "newer"
        assert house.load().changed == 1
        return original()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load.pipeline, "normalize", nightly_comes_between)
        load.run()
    assert house.query("select payload ->> 'text' from raw_ctgov.studies where nct_id = 'NCT00000005'") == [("newer",)]


class WatermarkReader:
    """Does what dbt's models do, again and again: claim everything up to the newest time, read what is in between."""

    def __init__(self, url: str):
        self.hashes: dict[str, str] = {}
        self._url, self._until, self.reads_with_rows = url, datetime(2000, 1, 1, tzinfo=timezone.utc), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read_on)

    def __enter__(self) -> "WatermarkReader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.read()

    def _read_on(self) -> None:
        while not self._stop.wait(0.002):
            self.read()

    def read(self) -> None:
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('raw_ctgov.studies')")
            if cursor.fetchone() == (None,):
                return
            cursor.execute("select max(loaded_at) from raw_ctgov.studies")
            (until,) = cursor.fetchone() or (None,)
            if until is None:
                return
            cursor.execute(
                "select nct_id, content_hash from raw_ctgov.studies where loaded_at > %s and loaded_at <= %s",
                (self._until, until),
            )
            found = dict(cursor)
            self.hashes.update(found)
            self.reads_with_rows += bool(found)
            self._until = until


# Loads as they are in life: each in a process of its own, one page a batch.
LOAD = """
import sys
from pathlib import Path
from ingest.clinicaltrials_gov import StudyLoad, WindowLoad
from ingest.clinicaltrials_gov.extract import BatchLimits

url, database_url, directory, kind, *keys = sys.argv[1:]
where = url, database_url, Path(directory)
limits = BatchLimits(pages=4)
load = WindowLoad(*where, kind=kind, keys=keys, limits=limits) if keys else StudyLoad(*where, limits=limits)
load.run()
"""


def start(house: House, kind: str, *keys: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", LOAD, house.registry.url, house.url, str(house.directory), kind, *keys]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_reader_of_watermarks_misses_no_row_that_several_loads_write_at_once(house: House) -> None:
    house.registry.page_size = 8
    house.registry.studies = [
        make_study(n, f"2024-05-{n % 28 + 1:02}", posted=f"2020-{n % 12 + 1:02}-15") for n in range(1, 121)
    ]
    days = [f"2024-05-{day:02}" for day in range(1, 29)]
    with WatermarkReader(house.url) as reader:
        loads = [
            start(house, "update_day", *days[:14]),
            start(house, "update_day", *days[7:]),
            start(house, "first_posted_month", *(f"2020-{month:02}" for month in range(1, 13))),
            start(house, "nightly"),
        ]
        assert [(load.communicate()[1], load.returncode)[1] for load in loads] == [0] * 4
    stored = dict(house.query("select nct_id, content_hash from raw_ctgov.studies"))
    assert len(stored) == 120
    assert reader.hashes == stored
    assert reader.reads_with_rows > 5
    times = house.query("select count(distinct loaded_at), count(distinct _dlt_load_id) from raw_ctgov.studies")
    assert times[0][0] == times[0][1] > 5


def test_no_writer_can_commit_a_time_behind_a_reader(house: House) -> None:
    """Even by hand: the second to begin waits for the first to commit, and gets the later time."""
    house.load()
    touch = "update raw_ctgov.studies set loaded_at = '2020-01-01' where nct_id = %s"
    with closing(psycopg2.connect(house.url)) as first, closing(psycopg2.connect(house.url)) as second:
        first.cursor().execute(touch, (nct(1),))
        ended = threading.Event()

        def write() -> None:
            second.cursor().execute(touch, (nct(2),))
            second.commit()
            ended.set()

        thread = threading.Thread(target=write)
        thread.start()
        assert not ended.wait(0.2)
        first.commit()
        thread.join()
    times = dict(house.query("select nct_id, loaded_at from raw_ctgov.studies"))
    assert times[nct(2)] > times[nct(1)] > max(times[nct(n)] for n in range(3, 13))


def test_a_change_that_is_no_load_keeps_its_time(house: House) -> None:
    house.load()
    before = house.rows()
    house.query("update raw_ctgov.studies set found_by = null")
    assert {key: row[2] for key, row in house.rows().items()} == {key: row[2] for key, row in before.items()}


def test_a_directory_of_a_load_that_was_given_up_is_removed(house: House) -> None:
    old = house.directory / "clinicaltrials_gov_update_day_0123456789"
    fresh = house.directory / "clinicaltrials_gov_update_day_9876543210"
    for directory in (old, fresh):
        directory.mkdir(parents=True)
    os.utime(old, (0, 0))
    backfill(house, "update_day", "2024-05-03")
    assert (old.exists(), fresh.exists()) == (False, True)
