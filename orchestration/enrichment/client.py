"""Ask a model about one text: a schema-bound chat completion, checked, and retried once where the answer is invalid."""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import openai
from openai import OpenAI

from orchestration.enrichment.model import Model
from orchestration.enrichment.task import InvalidAnswer, Task, Values

ATTEMPTS = 2
ERROR_CHARACTERS = 500


class ServiceUnavailable(Exception):
    """No answer is to be had from the model at the moment, whatever the text; the message gives cause and remedy."""


@dataclass(frozen=True)
class Call:
    """One row of the ledger. status: ok, invalid, refused (by the server, for this text), error (nothing came back)."""

    attempt: int
    status: str
    error: str | None
    called_at: datetime
    latency_ms: int
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None


@dataclass
class Outcome:
    """What became of one text: values, or an error, or neither of them where budget or service ended before."""

    text_hash: str
    text: str
    values: Values | None = None
    error: str | None = None
    interrupted: str | None = None
    calls: list[Call] = field(default_factory=list)


class Budget:
    """How many calls may still be made, shared by threads. None: any number."""

    def __init__(self, calls: int | None):
        self._left = calls
        self._lock = threading.Lock()

    @property
    def spent(self) -> bool:
        return self._left == 0

    def take(self) -> bool:
        """Reserve one call; False if none is left."""
        with self._lock:
            if self._left is None:
                return True
            if self._left == 0:
                return False
            self._left -= 1
            return True


def ask(client: OpenAI, task: Task, model: Model, text_hash: str, text: str, budget: Budget) -> Outcome:
    """Ask about one text. An invalid answer is told what is wrong with it and asked once more.

    Never raises for what a server may do: `interrupted` says why the service as a whole gave nothing.
    """
    outcome = Outcome(text_hash, text)
    messages = task.messages(text)
    for attempt in range(1, ATTEMPTS + 1):
        if not budget.take():
            outcome.error = None
            return outcome
        content = _call(client, task, model, messages, attempt, outcome)
        if content is None or outcome.values is not None:
            return outcome
        messages += [
            {"role": "assistant", "content": content},
            {"role": "user", "content": f"This answer can't be used: {outcome.error}. Answer again."},
        ]
    return outcome


def _call(
    client: OpenAI, task: Task, model: Model, messages: list[dict[str, str]], attempt: int, outcome: Outcome
) -> str | None:
    """Make one call and enter it in `outcome`. Returns what the model said, None where no further call makes sense."""
    called_at, began = datetime.now(timezone.utc), time.monotonic()
    status, error, content, usage = "ok", None, None, {}
    try:
        # The API's argument types are closed unions of dictionaries; these are built as the API documents them.
        arguments: dict[str, Any] = {"messages": messages, "response_format": task.response_format, **model.options}
        reply = client.chat.completions.create(model=model.name, timeout=model.timeout_seconds, **arguments)
        usage, content = _usage(reply, model), _content(reply)
        outcome.values, outcome.error = task.check(outcome.text, _parsed(reply, content)), None
    except InvalidAnswer as problem:
        status, error = "invalid", str(problem)
        outcome.error = error
    except (openai.BadRequestError, openai.UnprocessableEntityError) as problem:
        status, error = "refused", _said(problem)
        outcome.error = error
    except openai.APIError as problem:
        status, error = "error", _said(problem)
        outcome.error, outcome.interrupted = None, _explained(problem, client, model)
    latency = round((time.monotonic() - began) * 1000)
    outcome.calls.append(Call(attempt, status, error, called_at, latency, **usage))
    return content


def _content(reply: Any) -> str:
    """What the model wrote; empty where the server's reply has no such thing."""
    choices = getattr(reply, "choices", None)
    return (choices[0].message.content or "") if choices else ""


def _parsed(reply: Any, content: str) -> Any:
    if not content:
        raise InvalidAnswer("the answer is empty")
    if reply.choices[0].finish_reason == "length":
        raise InvalidAnswer("the answer is too long")
    try:
        return json.loads(content)
    except json.JSONDecodeError as problem:
        raise InvalidAnswer(f"the answer is not JSON ({problem.msg})") from None


def _usage(reply: Any, model: Model) -> dict[str, Any]:
    """Tokens and cost as the server counts them; nothing where it does not."""
    usage = getattr(reply, "usage", None)
    if usage is None:
        return {}
    sent, received = usage.prompt_tokens or 0, usage.completion_tokens or 0
    details = getattr(usage, "prompt_tokens_details", None)
    cached = (getattr(details, "cached_tokens", None) or 0) if details else 0
    cost = model.price.of(sent, cached, received) if model.price else None
    return {"prompt_tokens": sent, "completion_tokens": received, "cached_tokens": cached, "cost_usd": cost}


def _said(problem: openai.APIError) -> str:
    return f"{type(problem).__name__}: {problem.message}"[:ERROR_CHARACTERS]


def _explained(problem: openai.APIError, client: OpenAI, model: Model) -> str:
    """Cause and remedy of a failure that has nothing to do with the text."""
    url = client.base_url
    if isinstance(problem, openai.AuthenticationError | openai.PermissionDeniedError):
        return f"{url} refuses the API key: check OPENAI_API_KEY ({_said(problem)})"
    if isinstance(problem, openai.NotFoundError):
        return f"{url} knows no model {model.name!r}: check BIOLOUPE_LLM_MODEL and OPENAI_BASE_URL ({_said(problem)})"
    if isinstance(problem, openai.RateLimitError):
        return f"{url} takes no more calls at the moment: rate limit or quota ({_said(problem)})"
    if isinstance(problem, openai.APITimeoutError):
        return f"{url} did not answer in time"
    if isinstance(problem, openai.APIConnectionError):
        return f"no connection to {url}: {problem.__cause__ or problem.message}"
    return f"{url} fails ({_said(problem)})"
