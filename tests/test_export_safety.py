"""An export that fails, is killed, or meets a refresh: readers keep what they had, and the next export works."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
from click.testing import CliRunner
from psycopg2 import errors
from sqlalchemy.engine import make_url

from orchestration.cli import bioloupe
from orchestration.export.errors import ExportError, ExportInterrupted
from orchestration.export.options import Options
from orchestration.export.session import Export
from orchestration.export.snapshot import Snapshot
from tests.export_warehouse import execute, exported, quiet, write

pytestmark = pytest.mark.integration
SOME = ("studies", "analytics.dim_trials")
KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration.export.options import Options
from orchestration.export.session import Export
export = Export(sys.argv[1], Options(Path(sys.argv[2])), "killed")
export.begin(lambda n: None)
export.write_flat_files(lambda n: None)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_all_files_are_of_one_moment_whatever_changes_meanwhile(filled_warehouse_url: str, tmp_path: Path) -> None:
    with Export(filled_warehouse_url, Options(tmp_path, tables=SOME), "run") as export:
        counted = export.begin(quiet)
        execute(filled_warehouse_url, "delete from ctgov.studies")
        execute(filled_warehouse_url, "update raw_ctgov.registry_versions set data_timestamp = '2030-01-01T00:00:00'")
        manifest = export.check(write(export), quiet)
    assert manifest.rows == counted
    assert counted["ctgov.studies"] > 0
    assert manifest.registry_timestamp == "2026-06-01T09:00:05"


def test_a_mart_is_not_made_anew_under_the_export_s_eyes(filled_warehouse_url: str, tmp_path: Path) -> None:
    with Export(filled_warehouse_url, Options(tmp_path, tables=SOME), "run") as export:
        export.begin(quiet)
        with pytest.raises(errors.LockNotAvailable):
            execute(filled_warehouse_url, "set lock_timeout = '100ms'; drop table analytics.dim_trials cascade")
    execute(filled_warehouse_url, "drop table analytics.dim_trials cascade")


def test_a_table_that_stays_locked_is_worth_another_try(
    filled_warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.export.snapshot._PATIENT", "set lock_timeout = '100ms'")
    with closing(psycopg2.connect(filled_warehouse_url)) as other, other.cursor() as cursor:
        cursor.execute("lock table ctgov.studies in access exclusive mode")
        with pytest.raises(ExportInterrupted, match="dbt build"):
            Snapshot(filled_warehouse_url, ("ctgov",), lambda tables: tables)


def test_a_lost_snapshot_means_beginning_again(filled_warehouse_url: str, tmp_path: Path) -> None:
    with Export(filled_warehouse_url, Options(tmp_path, tables=SOME), "run") as export:
        export.begin(quiet)
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where state like 'idle in%'"
        execute(filled_warehouse_url, f"{ended} and datname = current_database()")
        with pytest.raises(ExportError, match="export again"):
            export.write_parquet(quiet)
    assert list(tmp_path.glob(".partial*")) == []


@pytest.mark.parametrize("missing", ["flat", "parquet", "dump"])
def test_a_row_too_few_in_a_file_is_found_before_it_is_published(
    filled_warehouse_url: str, tmp_path: Path, missing: str
) -> None:
    with Export(filled_warehouse_url, Options(tmp_path, (missing,), tables=SOME), "run") as export:
        export.begin(quiet)
        paths = write(export)
        studies = next(i for i, t in enumerate(export.snapshot.tables) if t.name == "studies")
        object.__setattr__(export.snapshot.tables[studies], "rows", 151)
        with pytest.raises(ExportError, match=r"ctgov.studies has 150 rows, the snapshot 151 rows"):
            export.check(paths, quiet)
    assert not (tmp_path / "latest").exists()


def test_a_killed_export_leaves_latest_and_the_next_one_cleans_up(filled_warehouse_url: str, tmp_path: Path) -> None:
    first, _ = exported(filled_warehouse_url, tmp_path, SOME)
    killed = subprocess.run([sys.executable, "-c", KILLED, filled_warehouse_url, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (partial,) = tmp_path.glob(".partial*")
    assert list(partial.rglob("*.zip")) != []
    assert (tmp_path / "latest").resolve() == first.path
    second, _ = exported(filled_warehouse_url, tmp_path, SOME)
    assert not partial.exists()
    assert (tmp_path / "latest").resolve() == second.path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of one megabyte")
def test_a_full_disk_publishes_nothing_and_says_what_to_do(filled_warehouse_url: str, tmp_path: Path) -> None:
    execute(filled_warehouse_url, "create table analytics.wide as select md5(i::text) from generate_series(1, 90000) i")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        for kind in ("flat", "parquet", "dump"):
            with pytest.raises(ExportError, match=r"no space is left.*--to"):
                exported(filled_warehouse_url, tmp_path, ("wide",), (kind,))
            assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_pg_dump_is_told_no_password_and_ends_with_its_export(filled_warehouse_url: str, tmp_path: Path) -> None:
    seen: list[tuple[psutil.Process, str]] = []

    def interrupt(_: int) -> None:
        commands = [(process, " ".join(process.cmdline())) for process in psutil.Process().children()]
        seen.extend((process, command) for process, command in commands if "--snapshot" in command)
        if seen:
            raise KeyboardInterrupt

    with Export(filled_warehouse_url, Options(tmp_path), "run") as export:
        export.begin(quiet)
        with pytest.raises(KeyboardInterrupt):
            export.write_dump(interrupt)
    ((process, command),) = seen
    password = make_url(filled_warehouse_url).password
    assert password
    assert str(password) not in command
    assert not process.is_running()


def test_verify_tells_what_is_wrong_and_ends_with_one(
    own_settings: None, filled_warehouse_url: str, tmp_path: Path
) -> None:
    published, _ = exported(filled_warehouse_url, tmp_path, SOME, ("flat", "parquet"))
    good = CliRunner().invoke(bioloupe, ["export", "verify", str(tmp_path)])
    assert (good.exit_code, "every checksum and row count" in good.output) == (0, True), good.output
    (published.path / "parquet/ctgov/studies.parquet").unlink()
    bad = CliRunner().invoke(bioloupe, ["export", "verify", str(published.path)])
    assert (bad.exit_code, "studies.parquet: missing" in bad.output) == (1, True)
    none = CliRunner().invoke(bioloupe, ["export", "verify"])
    assert (none.exit_code, "no published export" in none.output) == (1, True)
