"""Watchlists in Dagster: partitions that come and go, briefs that are asked for once, assets run by partition."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars
import pytest
from click.testing import CliRunner
from dagster import (
    AssetMaterialization,
    DagsterInstance,
    Definitions,
    MultiPartitionKey,
    PipesSubprocessClient,
    SensorResult,
    build_sensor_context,
    evaluate_automation_conditions,
    materialize,
)

from orchestration.assets.catalysts import CATALYSTS, catalysts
from orchestration.assets.watchlists import (
    CHANGES,
    NAMES,
    TRIALS,
    WATCHLIST_BRIEF,
    WATCHLIST_TRIALS,
    watchlist_brief,
    watchlist_trials,
    weekly_digest,
)
from orchestration.automation.conditions import with_conditions
from orchestration.automation.partitions import WATCHLISTS
from orchestration.automation.watchlist_sensor import watchlist_sensor
from orchestration.cli import bioloupe
from orchestration.reports import pages
from orchestration.resources.tables import tables
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import settings
from orchestration.warehouse import query
from orchestration.watch import store
from orchestration.watch.watchlist import watchlist
from tests.watch_house import WatchHouse

pytestmark = pytest.mark.integration
WEEK = date(2026, 11, 9)


@pytest.fixture
def house(warehouse_url: str, own_settings: None) -> WatchHouse:
    made = WatchHouse(warehouse_url)
    recent = {"phase": "PHASE3", "lead_sponsor": "Amgen", "last_update_posted_date": "2026-11-01"}
    made.trial("NCT1", {"title": ["KRAS G12C lung cancer"], "sponsor": ["Amgen"]}, **recent)
    made.trial("NCT2", {"keyword": ["KRAS G12C"]}, phase=None, overall_status="COMPLETED")
    made.change("NCT1", "overall_status", "RECRUITING", "COMPLETED", datetime.now(timezone.utc) - timedelta(days=2))
    made.change("NCT2", "phase", "PHASE1", "x" * 500, datetime(2026, 11, 9, 5, tzinfo=timezone.utc))  # Monday 00:00
    made.change("NCT1", "arms", "1", "2", datetime(2026, 11, 9, 4, 59, tzinfo=timezone.utc))  # Sunday 23:59
    return made


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def resources(house: WatchHouse) -> dict[str, Any]:
    return {
        "warehouse": WarehouseResource(url=house.url),
        "pipes": PipesSubprocessClient(),
        "tables": tables(settings()),
    }


def tick(house: WatchHouse, instance: DagsterInstance, cursor: str | None) -> SensorResult:
    """One look of the sensor; what it asks of partitions is done, as the daemon does."""
    given = {"warehouse": WarehouseResource(url=house.url)}
    with build_sensor_context(instance=instance, cursor=cursor, resources=given) as context:
        result = watchlist_sensor(context)
    assert isinstance(result, SensorResult)
    for request in result.dynamic_partitions_requests or []:
        if type(request).__name__.startswith("Add"):
            instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        else:
            for key in request.partition_keys:
                instance.delete_dynamic_partition(request.partitions_def_name, key)
    return result


def asked(result: SensorResult) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or []]


def test_partitions_follow_the_table_and_each_brief_is_asked_for_once(
    house: WatchHouse, instance: DagsterInstance
) -> None:
    instance.add_dynamic_partitions("watchlists", ["of-old"])
    store.add(house.url, watchlist(["KRAS G12C"]))
    first = tick(house, instance, None)
    assert asked(first) == ["kras-g12c"]
    assert instance.get_dynamic_partitions("watchlists") == ["kras-g12c"]

    store.add(house.url, watchlist(sponsors=["Amgen"]))
    second = tick(house, instance, first.cursor)
    assert asked(second) == ["amgen"]
    third = tick(house, instance, second.cursor)
    assert (asked(third), third.dynamic_partitions_requests) == ([], [])

    store.remove(house.url, "amgen")
    fourth = tick(house, instance, third.cursor)
    assert asked(fourth) == []
    assert instance.get_dynamic_partitions("watchlists") == ["kras-g12c"]

    store.add(house.url, watchlist(sponsors=["Amgen"]))
    fifth = tick(house, instance, fourth.cursor)
    keys = [r.run_key for result in (second, fifth) for r in result.run_requests or []]
    assert len(set(keys)) == 2, "one that was made again is another"


def test_where_automation_conditions_are_on_they_ask_for_briefs_and_the_sensor_does_not(
    house: WatchHouse, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIOLOUPE_AUTOMATION", "on")
    settings.cache_clear()
    reports = Definitions(with_conditions([watchlist_trials, watchlist_brief]), resources=resources(house))
    for mart in (NAMES, TRIALS, CHANGES):
        instance.report_runless_asset_event(AssetMaterialization(mart))
    before = evaluate_automation_conditions(reports, instance)
    store.add(house.url, watchlist(["KRAS G12C"]))
    assert asked(tick(house, instance, None)) == []
    after = evaluate_automation_conditions(reports, instance, cursor=before.cursor)
    requested = [after.get_requested_partitions(key) for key in (WATCHLIST_TRIALS, WATCHLIST_BRIEF)]
    assert requested == [{"kras-g12c"}, {"kras-g12c"}]
    assert evaluate_automation_conditions(reports, instance, cursor=after.cursor).total_requested == 0


def test_a_brief_waits_until_the_marts_are_built(house: WatchHouse, instance: DagsterInstance) -> None:
    store.add(house.url, watchlist(["KRAS G12C"]))
    query(house.url, "alter table analytics.fct_trial_changes rename to not_yet; select 1")
    first = tick(house, instance, None)
    assert asked(first) == []
    assert instance.get_dynamic_partitions("watchlists") == ["kras-g12c"]
    query(house.url, "alter table analytics.not_yet rename to fct_trial_changes; select 1")
    assert asked(tick(house, instance, first.cursor)) == ["kras-g12c"]


def test_a_watchlist_gets_its_table_and_its_page(house: WatchHouse, instance: DagsterInstance) -> None:
    store.add(house.url, watchlist(["KRAS G12C"], name="it's <KRAS> & more"))
    (slug,) = [one.slug for one in store.watchlists(house.url)]
    instance.add_dynamic_partitions(str(WATCHLISTS.name), [slug])
    run = materialize(
        [watchlist_trials, watchlist_brief], partition_key=slug, instance=instance, resources=resources(house)
    )
    assert run.success
    table = polars.read_parquet(settings().home / "tables" / "reports" / "watchlist_trials" / f"{slug}.parquet")
    assert table["nct_id"].to_list() == ["NCT1", "NCT2"]
    assert {"overall_status", "phase", "lead_sponsor", "primary_completion_date"} <= set(table.columns)
    page = pages.latest(f"watchlist_brief/{slug}")
    if page is None:
        pytest.skip("no Node here: pages are not drawn")
    text = page.read_text()
    assert "it&#39;s &lt;KRAS&gt; &amp; more" in text or "it's &lt;KRAS&gt; &amp; more" in text
    assert "NCT1" in text
    assert run.asset_materializations_for_node("reports__watchlist_brief")[0].asset_key == WATCHLIST_BRIEF


def test_a_week_s_digest_has_that_week_s_changes(house: WatchHouse, instance: DagsterInstance) -> None:
    store.add(house.url, watchlist(["KRAS G12C"]))
    instance.add_dynamic_partitions(str(WATCHLISTS.name), ["kras-g12c"])
    key = MultiPartitionKey({"watchlist": "kras-g12c", "week": WEEK.isoformat()})
    run = materialize([weekly_digest], partition_key=key, instance=instance, resources=resources(house))
    assert run.success
    page = pages.page("weekly_digest/kras-g12c", WEEK.isoformat())
    if not page.exists():
        pytest.skip("no Node here: pages are not drawn")
    text = page.read_text()
    assert "9 November 2026 to 15 November 2026" in text
    assert ("NCT2" in text, "NCT1" in text) == (True, False)


def test_a_watchlist_that_was_removed_meanwhile_is_a_failure_with_its_reason(
    house: WatchHouse, instance: DagsterInstance
) -> None:
    instance.add_dynamic_partitions(str(WATCHLISTS.name), ["gone"])
    run = materialize(
        [watchlist_trials], partition_key="gone", instance=instance, resources=resources(house), raise_on_error=False
    )
    (failure,) = run.get_step_failure_events()
    assert 'there is no watchlist "gone"' in str(failure.step_failure_data.error)


def test_a_session_s_catalysts(house: WatchHouse, instance: DagsterInstance) -> None:
    for day in (10, 13, 14, 15, 16):  # the 14th and 15th are a weekend
        house.due(f"NCT{day}", "primary completion", date(2026, 11, day))
    run = materialize([catalysts], partition_key="2026-11-16", instance=instance, resources=resources(house))
    table = polars.read_parquet(settings().home / "tables" / "reports" / "catalysts" / "2026-11-16.parquet")
    assert table.select("nct_id", "days_since_due").rows() == [("NCT14", 2), ("NCT15", 1), ("NCT16", 0)]
    (made,) = run.asset_materializations_for_node("reports__catalysts")
    assert (made.asset_key, made.metadata["primary_completions"].value) == (CATALYSTS, 3)


def test_the_command_line(house: WatchHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("DATABASE_URL", "DAGSTER_DATABASE_URL"):
        monkeypatch.setenv(variable, house.url)
    for variable in ("DAGSTER_HOME", "DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(variable, "")  # what the commands set ends with the test
    settings.cache_clear()
    house.due("NCT1", "results", date(2026, 11, 26))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(bioloupe, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert "none yet" in run("watch", "list")
    assert "2 trials match, 1 recruiting" in run("watch", "add", "KRAS G12C", "--name", "Our KRAS")
    with DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("watchlists") == ["our-kras"]
    assert "our-kras  KRAS G12C" in run("watch", "list")
    assert '  no trial matches\n  --drug "sotorasid" is in no intervention' in run(
        "watch", "add", "--drug", "sotorasid"
    )
    shown = run("watch", "show", "our kras")
    assert [word for word in ("NCT1", "NCT2", "Status", "COMPLETED") if word not in shown] == [], shown
    assert "2026-11-27  results  NCT1" in run("catalysts", "--from", "2026-11-25", "--watchlist", "our-kras")
    for name in ("our-kras", "sotorasid"):
        assert "is no longer watched" in run("watch", "remove", name, "--yes")
    with DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("watchlists") == []
