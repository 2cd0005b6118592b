"""Store, runner and evaluation on a real Postgres: nothing is paid for twice, and nothing committed is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from openai import OpenAI

from orchestration.enrichment.client import ServiceUnavailable
from orchestration.enrichment.evaluation import GoldRow, evaluate
from orchestration.enrichment.model import Model, Price
from orchestration.enrichment.runner import RunSummary, run_task
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.enrichment.store import SCHEMA, open_store
from tests.openai_server import OpenAIServer, Reply, completion, failure, reading, whole_text

pytestmark = pytest.mark.integration

MODEL = Model("fake", Price(1.0, 0.5, 2.0))
SURE = ["slow accrual", "no funding", "COVID-19"]
UNSURE = [f"The oracle number {number} spoke" for number in range(6)]
TABLES = """
create schema if not exists intermediate;
create table if not exists intermediate.int_stop_reason_texts
    (text_hash text primary key, text text, study_count integer, latest_update date);
create table if not exists intermediate.int_stopped_trials (nct_id text, text_hash text);
"""


def text_hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class Warehouse:
    """A database with texts to be read."""

    def __init__(self, url: str):
        self.url = url
        self.execute(TABLES)
        # Twice, as it is applied at every start.
        self.execute(SCHEMA.read_text())
        self.execute(SCHEMA.read_text())

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def add(self, *texts: str, studies: int = 1, update: str = "2024-01-01") -> None:
        for text in texts:
            insert = "insert into intermediate.int_stop_reason_texts values (%s, %s, %s, %s)"
            self.execute(insert, text_hash(text), text, studies, update)

    def answers(self, columns: str = "text, status") -> list[tuple[Any, ...]]:
        return self.execute(f"select {columns} from enrichment.stop_reasons order by text")

    def calls(self, columns: str = "status") -> list[tuple[Any, ...]]:
        return self.execute(f"select {columns} from enrichment.llm_calls order by call_id")


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    return Warehouse(warehouse_url)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


def opener(server: OpenAIServer) -> Callable[[], AbstractContextManager[OpenAI]]:
    return lambda: OpenAI(api_key="key", base_url=server.base_url, max_retries=0)


def run(warehouse: Warehouse, server: OpenAIServer, model: Model = MODEL, **options: Any) -> RunSummary:
    return run_task(warehouse.url, STOP_REASONS, opener(server), model, run_id="run", **options)


def test_keywords_answer_for_nothing_and_the_model_reads_the_rest(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*SURE, *UNSURE)
    progress: list[tuple[int, int]] = []
    summary = run(warehouse, server, batch_size=2, progress=lambda done, total: progress.append((done, total)))
    assert (summary.by_rule, summary.by_llm, summary.failed, summary.unread) == (3, 6, 0, 0)
    assert (summary.calls, summary.prompt_tokens, summary.cached_tokens) == (6, 600, 480)
    assert summary.cost_usd == pytest.approx(6 * 100e-6)
    assert progress == [(3, 9), (5, 9), (7, 9), (9, 9)]
    assert sorted(server.texts) == UNSURE
    rows = dict(warehouse.execute("select text, method from enrichment.stop_reasons"))
    assert rows == {**dict.fromkeys(SURE, "rule"), **dict.fromkeys(UNSURE, "llm")}
    assert warehouse.execute("select distinct version, model, task from enrichment.stop_reasons") == [
        (STOP_REASONS.version, "fake", "stop_reasons")
    ]
    columns = "status, attempt, prompt_tokens, completion_tokens, cached_tokens, cost_usd::float, run_id"
    assert set(warehouse.calls(columns)) == {("ok", 1, 100, 20, 80, 0.0001, "run")}


def test_a_rerun_calls_nobody_and_does_not_even_open_the_model(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*SURE, *UNSURE)
    run(warehouse, server)
    before = len(server.requests)
    again = run_task(warehouse.url, STOP_REASONS, pytest.fail, MODEL)
    assert (again.unread_before, again.read, again.calls) == (0, 0, 0)
    warehouse.add("One more oracle")
    assert run(warehouse, server).by_llm == 1
    assert len(server.requests) == before + 1


def test_another_model_and_another_version_read_again(warehouse: Warehouse, server: OpenAIServer) -> None:
    from dataclasses import replace

    warehouse.add(*UNSURE[:1])
    run(warehouse, server)
    assert run(warehouse, server, replace(MODEL, name="other")).by_llm == 1
    newer = replace(STOP_REASONS, instructions=STOP_REASONS.instructions + "\nBe kind.")
    assert run_task(warehouse.url, newer, opener(server), MODEL).by_llm == 1
    assert len(warehouse.answers()) == 3


def test_texts_of_most_studies_come_first_then_the_newest(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add("oracle a", studies=1, update="2020-01-01")
    warehouse.add("oracle b", studies=1, update="2023-01-01")
    warehouse.add("oracle c", studies=5, update="2010-01-01")
    run(warehouse, server)
    assert server.texts == ["oracle c", "oracle b", "oracle a"]


def test_the_budget_ends_the_run_and_the_next_one_goes_on(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*SURE, *UNSURE)
    first = run(warehouse, server, max_calls=4, batch_size=3)
    assert (first.by_rule, first.by_llm, first.unread, first.budget_spent) == (3, 4, 2, True)
    second = run(warehouse, server, max_calls=4)
    assert (second.by_rule, second.by_llm, second.unread, second.budget_spent) == (0, 2, 0, False)
    none = run(warehouse, server, max_calls=0)
    assert (none.unread, none.budget_spent) == (0, False)
    assert len(server.requests) == 6


def test_without_a_model_keywords_still_answer(warehouse: Warehouse) -> None:
    warehouse.add(*SURE, *UNSURE)

    def no_model() -> AbstractContextManager[OpenAI]:
        raise ServiceUnavailable("no model is to be had")

    for open_client, stopped in ((None, None), (no_model, "no model is to be had")):
        summary = run_task(warehouse.url, STOP_REASONS, open_client, MODEL)
        assert (summary.unread, summary.stopped) == (6, stopped)
    assert len(warehouse.answers()) == 3


def test_failed_texts_are_shown_and_not_paid_for_every_night(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*UNSURE[:2])
    server.behaviour = lambda request: completion("?") if "number 1" in str(request) else whole_text(request)
    summary = run(warehouse, server)
    assert (summary.by_llm, summary.failed, summary.calls, summary.unread) == (1, 1, 3, 0)
    assert [text for text, _ in summary.failures] == [UNSURE[1]]
    assert warehouse.answers("text, status, error is null, stop_reason is null") == [
        (UNSURE[0], "answered", True, False),
        (UNSURE[1], "failed", False, True),
    ]
    assert run(warehouse, server).calls == 0
    server.behaviour = whole_text
    assert run(warehouse, server, retry_failed=True).by_llm == 1
    assert warehouse.answers("text, status, error") == [(UNSURE[0], "answered", None), (UNSURE[1], "answered", None)]


def test_a_service_that_fails_stops_the_run_and_keeps_what_was_answered(
    warehouse: Warehouse, server: OpenAIServer
) -> None:
    warehouse.add(*UNSURE)
    server.behaviour = lambda request: failure(500) if len(server.requests) > 3 else whole_text(request)
    summary = run(warehouse, server, batch_size=2)
    assert (summary.by_llm, summary.failed, summary.unread) == (3, 0, 3)
    assert "fails" in str(summary.stopped)
    assert len(server.requests) == 4
    assert warehouse.calls() == [("ok",), ("ok",), ("ok",), ("error",)]
    server.behaviour = whole_text
    assert (run(warehouse, server).by_llm, len(warehouse.answers())) == (3, 6)


def test_a_server_that_refuses_every_request_is_misconfigured_and_fails_no_text(
    warehouse: Warehouse, server: OpenAIServer
) -> None:
    warehouse.add(*UNSURE)
    server.behaviour = lambda request: failure(400, "response_format is unknown")
    summary = run(warehouse, server, batch_size=2)
    assert "response_format is unknown" in str(summary.stopped)
    assert (summary.failed, summary.unread, len(server.requests)) == (0, 6, 2)


def test_calls_at_once_ask_each_text_once_and_keep_to_the_budget(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*UNSURE)
    server.delay = 0.02
    summary = run(warehouse, server, Model("fake", None, workers=4), max_calls=5)
    assert (summary.by_llm, summary.calls, summary.cost_usd, len(set(server.texts))) == (5, 5, None, 5)


def test_two_readers_at_once_are_one_too_many(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*UNSURE)
    with open_store(warehouse.url, STOP_REASONS, "fake") as store:
        assert store.try_lock()
        assert "another process" in str(run(warehouse, server).stopped)
    assert run(warehouse, server).by_llm == 6


READER = """
import sys
from openai import OpenAI
from orchestration.enrichment.model import Model
from orchestration.enrichment.runner import run_task
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
url, base_url = sys.argv[1:]
run_task(url, STOP_REASONS, lambda: OpenAI(api_key="k", base_url=base_url), Model("fake"), batch_size=2)
"""


def test_a_kill_loses_at_most_the_batch_at_hand(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add(*UNSURE)

    def stuck_on_the_fourth(request: dict[str, Any]) -> Reply:
        while len(server.requests) == 4:
            time.sleep(0.02)
        return whole_text(request)

    server.behaviour = stuck_on_the_fourth
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, warehouse.url, server.base_url], cwd=Path(__file__).parents[1], env=os.environ
    )
    deadline = time.monotonic() + 30
    while len(server.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    committed = warehouse.answers()
    assert len(committed) == len(warehouse.calls()) == 2
    summary = run(warehouse, server)
    assert (summary.by_llm, len(warehouse.answers())) == (4, 6)
    assert set(committed) < set(warehouse.answers())
    assert [server.texts.count(text) for text, _ in committed] == [1, 1]


def test_an_evaluation_reads_what_is_unread_and_pays_once(warehouse: Warehouse, server: OpenAIServer) -> None:
    warehouse.add("slow accrual", *UNSURE)
    for nct_id, text in (("NCT1", "slow accrual"), ("NCT2", UNSURE[0]), ("NCT3", UNSURE[0]), ("NCT4", UNSURE[1])):
        warehouse.execute("insert into intermediate.int_stopped_trials values (%s, %s)", nct_id, text_hash(text))
    gold = [
        GoldRow("NCT1", "insufficient_enrollment", None),
        GoldRow("NCT2", "regulatory", "covid19"),
        GoldRow("NCT3", "covid19", None),
        GoldRow("NCT4", "regulatory", None),
        GoldRow("NCT9", "negative", None),
    ]
    server.behaviour = lambda request: reading(request["messages"][-1]["content"], "regulatory", "covid19")
    for calls in (2, 0):
        result = evaluate(warehouse.url, STOP_REASONS, gold, opener(server), MODEL)
        assert (result.run.calls, result.missing, result.accuracy) == (calls, ["NCT9"], 0.75)
        assert (result.seconds, result.by("method")) == ((1, 1, 2), {"rule": (1, 1), "llm": (2, 3)})
    assert len(warehouse.answers()) == 3
