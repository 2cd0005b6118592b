"""Read what is unread: keywords first, for nothing, then the model, batch by batch, within a budget of calls."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from openai import OpenAI

from orchestration.enrichment.client import Budget, Outcome, ServiceUnavailable, ask
from orchestration.enrichment.model import Model
from orchestration.enrichment.store import Result, Store, Text, open_store
from orchestration.enrichment.task import Task

RULE_BATCH = 500
# Small: a kill loses no more, and on two cores a batch takes ten seconds, about as long as one likes to see nothing.
LLM_BATCH = 5
SHOWN_FAILURES = 20

OpenClient = Callable[[], AbstractContextManager[OpenAI]]
Progress = Callable[[int, int], None]


@dataclass
class RunSummary:
    """What one run did. `cost_usd` is None where the model's price is not known; `stopped` says why it ended early."""

    task: str
    version: str
    model: str
    unread_before: int = 0
    by_rule: int = 0
    by_llm: int = 0
    failed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0
    budget_spent: bool = False
    stopped: str | None = None
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.by_rule + self.by_llm

    @property
    def unread(self) -> int:
        return self.unread_before - self.read - self.failed


def run_task(
    connection_url: str,
    task: Task,
    open_client: OpenClient | None,
    model: Model,
    *,
    max_calls: int | None = None,
    batch_size: int = LLM_BATCH,
    progress: Progress | None = None,
    run_id: str = "",
    retry_failed: bool = False,
    only: Sequence[str] | None = None,
) -> RunSummary:
    """Read the task's unread texts and store the answers.

    open_client: called once, and only if a model must be asked; None asks none. It may raise ServiceUnavailable.
    progress: called with (texts done, texts to do). only: hashes of the texts to be read, all if None.
    A service that fails ends the run with `stopped`; what was answered is committed, the next run goes on.
    """
    began = time.monotonic()
    summary = RunSummary(task.name, task.version, model.name)
    with open_store(connection_url, task, model.name) as store:
        if not store.try_lock():
            summary.stopped = f"another process is reading {task.name} at the moment"
            return summary
        texts = store.unread(retry_failed, only)
        summary.unread_before = len(texts)
        run = _Run(store, task, model, summary, progress or (lambda done, total: None), run_id)
        rest = run.by_rules(texts)
        budget = Budget(max_calls)
        if rest and open_client and not budget.spent:
            run.by_model(rest, open_client, budget, batch_size)
        summary.budget_spent = budget.spent and summary.unread > 0
    summary.seconds = time.monotonic() - began
    return summary


@dataclass
class _Run:
    store: Store
    task: Task
    model: Model
    summary: RunSummary
    progress: Progress
    run_id: str

    def by_rules(self, texts: list[Text]) -> list[Text]:
        """Store what keywords settle; the texts that they do not are returned, in the same order."""
        rest: list[Text] = []
        for batch in _batches(texts, RULE_BATCH):
            answers = [(text, self.task.rule(text.text)) for text in batch]
            self._save([Result(text, answer) for text, answer in answers if answer])
            rest += [text for text, answer in answers if not answer]
        return rest

    def by_model(self, texts: list[Text], open_client: OpenClient, budget: Budget, batch_size: int) -> None:
        """Ask the model about each text, until the budget or the service ends."""
        try:
            with open_client() as client, ThreadPoolExecutor(self.model.workers) as pool:
                for batch in _batches(texts, max(batch_size, self.model.workers)):
                    if budget.spent or self.summary.stopped:
                        return
                    outcomes = list(pool.map(lambda t: self._ask(client, t, budget), batch))
                    self._take(outcomes)
        except ServiceUnavailable as problem:
            self.summary.stopped = str(problem)

    def _ask(self, client: OpenAI, text: Text, budget: Budget) -> Outcome:
        if self.summary.stopped:
            return Outcome(text.text_hash, text.text)
        outcome = ask(client, self.task, self.model, text.text_hash, text.text, budget)
        if outcome.interrupted:
            self.summary.stopped = outcome.interrupted
        return outcome

    def _take(self, outcomes: list[Outcome]) -> None:
        """Commit a batch. Where the server refuses every first text, the configuration is wrong and not the texts."""
        refused = [o for o in outcomes if o.calls and o.calls[-1].status == "refused"]
        if refused and len(refused) == len(outcomes) and not self.summary.by_llm:
            self.summary.stopped = f"the model's server refuses the request: {refused[0].error}"
            for outcome in refused:
                outcome.error = None
        self._save([self._result(outcome) for outcome in outcomes])

    def _result(self, outcome: Outcome) -> Result:
        text = Text(outcome.text_hash, outcome.text)
        if outcome.values is None:
            return Result(text, None, outcome.error, outcome.calls)
        return Result(text, self.task.settle(text.text, outcome.values, self.model.trusted), None, outcome.calls)

    def _save(self, results: list[Result]) -> None:
        if results:
            self.store.save(results, self.run_id)
        for result in results:
            self._count(result)
        done = self.summary.unread_before - self.summary.unread
        self.progress(done, self.summary.unread_before)

    def _count(self, result: Result) -> None:
        summary = self.summary
        if result.answer:
            summary.by_llm += bool(result.calls)
            summary.by_rule += not result.calls
        elif result.error:
            summary.failed += 1
            if len(summary.failures) < SHOWN_FAILURES:
                summary.failures.append((result.text.text, result.error))
        for call in result.calls:
            summary.calls += 1
            summary.prompt_tokens += call.prompt_tokens or 0
            summary.cached_tokens += call.cached_tokens or 0
            summary.completion_tokens += call.completion_tokens or 0
            if call.prompt_tokens is not None:
                known = summary.cost_usd is not None and call.cost_usd is not None
                summary.cost_usd = (summary.cost_usd or 0.0) + (call.cost_usd or 0.0) if known else None


def _batches(texts: list[Text], size: int) -> Iterator[list[Text]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]
