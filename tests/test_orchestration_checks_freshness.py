"""How old the sources are and whether staging has caught up, on a warehouse whose clock is turned back."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from ingest.clinicaltrials_gov import load
from orchestration.checks.freshness import SourceFreshness, age_verdicts, sources, staging_verdicts
from orchestration.warehouse import connect, query
from tests.registry_server import Registry, make_study

LOADS = SourceFreshness(
    "source.x.raw_ctgov.registry_versions",
    "raw_ctgov.registry_versions",
    "select max(observed_at) from raw_ctgov.registry_versions",
    timedelta(days=2),
    timedelta(days=4),
)
WATERMARKS = "intermediate.staging_watermarks"


def node(**more: object) -> dict[str, object]:
    return {"unique_id": "u", "schema": "raw", "identifier": "t", "loaded_at_field": "seen_at", **more}


def test_bounds_come_from_the_manifest() -> None:
    bounds = {"warn_after": {"count": 2, "period": "day"}, "error_after": {"count": None}, "filter": "ok"}
    manifest = {"sources": {"a": node(freshness=bounds), "b": node(freshness={}), "c": node(freshness=None)}}
    (found,) = sources(manifest)
    assert found.loaded_at == "select max(seen_at) from raw.t where ok"
    assert (found.warn_after, found.error_after) == (timedelta(days=2), None)


def test_the_project_s_sources_have_bounds_that_a_quiet_night_does_not_break() -> None:
    from orchestration.assets.transform import MANIFEST

    found = {source.relation: source for source in sources(MANIFEST)}
    assert set(found) == {"raw_ctgov.studies", "raw_ctgov.registry_versions"}
    assert "registry_versions" in found["raw_ctgov.studies"].loaded_at


@pytest.fixture
def connection(filled_warehouse_url: str) -> Iterator[Connection]:
    with closing(connect(filled_warehouse_url)) as connection:
        yield connection


@pytest.mark.integration
@pytest.mark.parametrize(("days", "passed", "severity"), [(1, True, "ERROR"), (3, False, "WARN"), (5, False, "ERROR")])
def test_an_old_source_warns_and_then_fails(
    connection: Connection, filled_warehouse_url: str, days: int, passed: bool, severity: str
) -> None:
    back = "update raw_ctgov.registry_versions set observed_at = now() - make_interval(days => %s) returning 1"
    query(filled_warehouse_url, back, (days,))
    ((_, verdict),) = age_verdicts(connection, [LOADS])
    assert (verdict.passed, verdict.severity) == (passed, severity)
    assert verdict.numbers["age_hours"] == pytest.approx(24 * days, abs=1)


@pytest.mark.integration
def test_what_is_not_there_yet_is_a_warning(warehouse_url: str) -> None:
    with closing(connect(warehouse_url)) as connection:
        ((_, verdict),) = age_verdicts(connection, [LOADS])
        staged = staging_verdicts(connection, ["ctgov.studies"], WATERMARKS)["ctgov.studies"]
    assert not verdict.passed
    assert not staged.passed
    assert {verdict.severity, staged.severity} == {"WARN"}


@pytest.mark.integration
def test_staging_that_stayed_behind_shows_until_it_has_read_all(
    connection: Connection, filled_warehouse_url: str
) -> None:
    def verdict() -> tuple[bool, str]:
        found = staging_verdicts(connection, ["ctgov.studies", "ctgov.keywords"], WATERMARKS)["ctgov.studies"]
        return found.passed, found.severity

    assert verdict() == (True, "ERROR")
    newer = "update raw_ctgov.studies set loaded_at = loaded_at + interval '1 second' returning 1"
    query(filled_warehouse_url, newer)
    assert verdict() == (False, "WARN")
    aged = "update raw_ctgov.studies set loaded_at = loaded_at - interval '2 days' returning 1"
    query(filled_warehouse_url, f"alter table raw_ctgov.studies disable trigger user; {aged}")
    query(filled_warehouse_url, f"update {WATERMARKS} set loaded_until = loaded_until - interval '3 days' returning 1")
    assert verdict() == (False, "ERROR")


@pytest.mark.integration
def test_a_load_that_finds_nothing_new_is_a_sign_of_life(warehouse_url: str, tmp_path: Path) -> None:
    asked = "select count(*), max(observed_at) from raw_ctgov.registry_versions"
    with Registry([make_study(1)]) as registry:
        load(registry.url, warehouse_url, tmp_path)
        ((_, first),) = query(warehouse_url, asked)
        assert load(registry.url, warehouse_url, tmp_path).nothing_to_do
        ((rows, second),) = query(warehouse_url, asked)
    assert rows == 1
    assert second > first
