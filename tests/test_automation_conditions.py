"""What is made by itself, evaluated by Dagster on the project's own graph with a real instance."""

from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    Definitions,
    EvaluateAutomationConditionsResult,
    evaluate_automation_conditions,
)

TEXTS, CONDITIONS = AssetKey(["intermediate", "int_stop_reason_texts"]), AssetKey(["ctgov", "stg_ctgov__conditions"])
ANSWERS, TRIALS = AssetKey(["enrichment", "stop_reasons"]), AssetKey(["analytics", "dim_trials"])
STUDIES = AssetKey(["ctgov", "stg_ctgov__studies"])


@pytest.fixture(scope="module")
def defs() -> Definitions:
    from orchestration.definitions import defs

    return defs


class House:
    """An instance on which everything was made once, and the daemon's evaluations from there on."""

    def __init__(self, defs: Definitions):
        self.defs, self.instance = defs, DagsterInstance.ephemeral()
        graph: Any = defs.resolve_asset_graph()
        self.check: AssetCheckKey = min(k for k in graph.asset_check_keys if k.asset_key == STUDIES)
        self.made(*graph.get_all_asset_keys())
        self.result: EvaluateAutomationConditionsResult = evaluate_automation_conditions(defs, self.instance)

    def made(self, *keys: AssetKey) -> None:
        for key in keys:
            self.instance.report_runless_asset_event(AssetMaterialization(key))

    def checked(self, passed: bool) -> None:
        self.instance.report_runless_asset_event(
            AssetCheckEvaluation(
                asset_key=self.check.asset_key,
                check_name=self.check.name,
                passed=passed,
                severity=AssetCheckSeverity.ERROR,
            )
        )

    def tick(self) -> set[AssetKey]:
        """What the next evaluation calls for."""
        self.result = evaluate_automation_conditions(self.defs, self.instance, cursor=self.result.cursor)
        keys: Any = self.defs.resolve_asset_graph()
        return {key for key in keys.get_all_asset_keys() if self.result.get_num_requested(key)}


def test_answers_and_marts_follow_what_they_read_once(defs: Definitions) -> None:
    house = House(defs)
    assert house.tick() == set()
    house.made(TEXTS, CONDITIONS)
    called = house.tick()
    assert {ANSWERS, TRIALS} <= called
    assert {key.path[0] for key in called} <= {"enrichment", "analytics", "reports"}
    assert house.tick() == set()


def test_a_check_that_failed_in_an_earlier_run_holds_them_back_until_it_passes(defs: Definitions) -> None:
    house = House(defs)
    house.checked(passed=False)
    house.made(TEXTS, CONDITIONS)
    assert house.tick() == set()
    assert house.tick() == set()
    house.checked(passed=True)
    assert {ANSWERS, TRIALS} <= house.tick()


def test_a_new_watchlist_s_table_is_made(defs: Definitions) -> None:
    house = House(defs)
    house.instance.add_dynamic_partitions("watchlists", ["melanoma"])
    house.tick()
    house.instance.add_dynamic_partitions("watchlists", ["sclc"])
    called = house.tick()
    assert AssetKey(["reports", "watchlist_trials"]) in called
    assert house.result.get_requested_partitions(AssetKey(["reports", "watchlist_trials"])) == {"sclc"}
