"""The client against a server that speaks the OpenAI API, well and badly."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from openai import OpenAI

from orchestration.enrichment.client import Budget, Outcome, ask
from orchestration.enrichment.model import FREE, Model, Price, embedded, hosted
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from tests.openai_server import OpenAIServer, Reply, completion, failure, reading, whole_text

TEXT = "The ministry had other plans"
MODEL = Model("fake", Price(1.0, 0.5, 2.0), options={"temperature": 0})


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


def asked(server: OpenAIServer, model: Model = MODEL, calls: int | None = None, **options: Any) -> Outcome:
    with OpenAI(api_key="key", base_url=server.base_url, **{"max_retries": 0, **options}) as client:
        return ask(client, STOP_REASONS, model, "hash", TEXT, Budget(calls))


def in_turn(*replies: Reply) -> Callable[[dict[str, Any]], Reply]:
    """Give each of these replies once, the last one for ever."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def test_an_answer_comes_with_tokens_cost_and_time(server: OpenAIServer) -> None:
    outcome = asked(server)
    assert outcome.values == {"evidence": TEXT, "stop_reason": "regulatory", "second_reason": None}
    assert (outcome.error, outcome.interrupted) == (None, None)
    (call,) = outcome.calls
    assert (call.status, call.attempt, call.error) == ("ok", 1, None)
    assert (call.prompt_tokens, call.cached_tokens, call.completion_tokens) == (100, 80, 20)
    assert call.cost_usd == pytest.approx((20 * 1.0 + 80 * 0.5 + 20 * 2.0) / 1e6)
    assert call.latency_ms >= 0


def test_the_request_binds_the_answer_to_the_schema(server: OpenAIServer) -> None:
    asked(server)
    (request,) = server.requests
    schema = request["response_format"]["json_schema"]
    assert (request["model"], request["temperature"], schema["strict"]) == ("fake", 0, True)
    assert "covid19" in schema["schema"]["properties"]["stop_reason"]["enum"]
    assert server.keys == ["Bearer key"]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (completion("Sorry, I can't"), "not JSON"),
        (completion('{"evidence": "The ministry'), "not JSON"),
        (completion('{"evidence": "The min', "length"), "too long"),
        (completion(None), "empty"),
        (reading(TEXT, "weather"), "none of the classes"),
        (reading("the moon was full"), "not in the text"),
        (completion("[1]"), "one JSON object"),
        ((200, {"choices": []}), "empty"),
    ],
)
def test_an_invalid_answer_is_told_its_fault_and_asked_once_more(
    server: OpenAIServer, bad: Reply, problem: str
) -> None:
    server.behaviour = in_turn(bad, reading(TEXT))
    outcome = asked(server)
    assert outcome.values is not None
    assert [(call.attempt, call.status) for call in outcome.calls] == [(1, "invalid"), (2, "ok")]
    assert problem in str(outcome.calls[0].error)
    assert problem in server.texts[1]


def test_two_invalid_answers_are_a_failure(server: OpenAIServer) -> None:
    server.behaviour = in_turn(completion("?"))
    outcome = asked(server)
    assert outcome.values is None
    assert "not JSON" in str(outcome.error)
    assert [call.status for call in outcome.calls] == ["invalid", "invalid"]


def test_the_budget_counts_the_retry_and_leaves_the_text_unread(server: OpenAIServer) -> None:
    server.behaviour = in_turn(completion("?"))
    outcome = asked(server, calls=1)
    assert (outcome.values, outcome.error, outcome.interrupted, len(outcome.calls)) == (None, None, None, 1)
    assert asked(server, calls=0).calls == []


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "BIOLOUPE_LLM_MODEL"), (429, "quota"), (500, "fails")],
)
def test_what_is_wrong_with_the_service_is_no_fault_of_the_text(server: OpenAIServer, status: int, remedy: str) -> None:
    server.behaviour = in_turn(failure(status, "because"))
    outcome = asked(server)
    assert (outcome.values, outcome.error) == (None, None)
    assert remedy in str(outcome.interrupted)
    assert "because" in str(outcome.interrupted)
    assert [(call.status, call.cost_usd) for call in outcome.calls] == [("error", None)]


def test_a_busy_service_is_asked_again(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    server.behaviour = in_turn(failure(429), failure(500), reading(TEXT))
    outcome = asked(server, max_retries=2)
    assert outcome.values is not None
    assert len(server.requests) == 3


def test_a_refused_request_is_a_failure_of_this_text(server: OpenAIServer) -> None:
    server.behaviour = in_turn(failure(400, "content filter"))
    outcome = asked(server)
    assert "content filter" in str(outcome.error)
    assert (outcome.interrupted, [call.status for call in outcome.calls]) == (None, ["refused"])


def test_a_server_that_is_too_slow_or_gone(server: OpenAIServer) -> None:
    server.delay = 0.5
    assert "in time" in str(asked(server, replace(MODEL, timeout_seconds=0.05)).interrupted)
    server.close()
    assert "no connection" in str(asked(server).interrupted)


def test_a_reply_without_usage_has_no_cost(server: OpenAIServer) -> None:
    def without_usage(request: dict[str, Any]) -> Reply:
        status, reply = whole_text(request)
        return status, {key: value for key, value in reply.items() if key != "usage"}

    server.behaviour = without_usage
    (call,) = asked(server).calls
    assert (call.status, call.prompt_tokens, call.cost_usd) == ("ok", None, None)


def test_prices_are_known_dated_models_included_or_not_at_all() -> None:
    assert hosted("gpt-4.1-mini").price == hosted("gpt-4.1-mini-2025-04-14").price is not None
    assert hosted("house-model").price is None
    assert hosted("house-model", Price(1, 1, 1)).price == Price(1, 1, 1)
    assert embedded("small").price == FREE
    assert "temperature" not in hosted("gpt-5-mini").options
    assert json.dumps(hosted("gpt-4.1").options) == '{"temperature": 0}'
