"""What a language model read in free text, as assets between dbt's two steps."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    Backoff,
    MarkdownMetadataValue,
    MaterializeResult,
    RetryPolicy,
    multi_asset,
)

from orchestration.assets.guard import refuse_after_failed_checks
from orchestration.assets.names import OWNERS
from orchestration.assets.selected import selected
from orchestration.assets.steps import placed
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.progress import Reporter
from orchestration.resources.language_model import LanguageModel
from orchestration.resources.warehouse import WarehouseResource
from orchestration.settings import Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI

    from orchestration.enrichment.runner import RunSummary

ANSWERS = AssetKey(["enrichment", STOP_REASONS.name])
LEDGER = AssetKey(["enrichment", "llm_calls"])
TEXTS = AssetKey(STOP_REASONS.texts.split("."))
OFF = "BIOLOUPE_LLM=off: free text stays unread"


def _spec(key: AssetKey, description: str) -> AssetSpec:
    return AssetSpec(
        key,
        deps=[TEXTS],
        group_name="enrichment",
        owners=OWNERS,
        kinds={"openai", "postgres"},
        description=description,
        code_version=STOP_REASONS.version,
        metadata={"dagster/table_name": ".".join(key.path)},
    )


@multi_asset(
    name="enrich_stop_reasons",
    specs=[
        _spec(
            ANSWERS, "Why trials were stopped, one row per distinct text: class, second class, the words that show it."
        ),
        _spec(LEDGER, "Every call to a language model: tokens, milliseconds, cost, status."),
    ],
    pool="language_model",
    op_tags=placed("language_model"),
    # Answers and their ledger are committed together, whichever is asked for: see `selected`.
    can_subset=True,
    retry_policy=RetryPolicy(max_retries=2, delay=settings().retry_seconds, backoff=Backoff.EXPONENTIAL),
)
def enrich_stop_reasons(
    context: AssetExecutionContext, language_model: LanguageModel, warehouse: WarehouseResource
) -> Iterator[MaterializeResult[Any]]:
    """Read the stop reasons that nobody has read, keywords first, within the run's budget of calls."""
    refuse_after_failed_checks(context)
    config = settings()
    summary = None if config.llm == "off" else _read(context, language_model, warehouse, config)
    if summary is None:
        context.log.warning(OFF)
    about = {"skipped": OFF} if summary is None else _metadata(summary)
    yield from selected(
        context,
        (
            MaterializeResult(asset_key=key, metadata={**warehouse.about(".".join(key.path)), **more})
            for key, more in ((ANSWERS, about), (LEDGER, {}))
        ),
    )


def _read(
    context: AssetExecutionContext, language_model: LanguageModel, warehouse: WarehouseResource, config: Settings
) -> "RunSummary":
    # The client library takes half a second to import: who reads pays for it, not every loading of the definitions.
    from orchestration.enrichment.runner import run_task
    from orchestration.local.language_model import configured_model

    megabytes = Reporter(context.log, "language model", "MB of the model file")

    def fetching(done: int, total: int | None) -> None:
        megabytes(done // 1_000_000, total // 1_000_000 if total else None)

    def open_client() -> "AbstractContextManager[OpenAI]":
        return language_model.open(context, ANSWERS, fetching)

    summary = run_task(
        config.enricher_url(warehouse.url),
        STOP_REASONS,
        open_client,
        configured_model(config),
        max_calls=config.llm_max_calls,
        progress=Reporter(context.log, "/".join(ANSWERS.path), "texts", after_first=True),
        run_id=context.run.run_id,
    )
    _tell(context, summary)
    return summary


def _tell(context: AssetExecutionContext, summary: "RunSummary") -> None:
    for text, error in summary.failures:
        context.log.warning(f"no usable answer ({error}): {text}")
    if summary.stopped:
        context.log.warning(f"{summary.unread:,} texts stay unread: {summary.stopped}")
    elif summary.unread:
        context.log.info(f"{summary.unread:,} texts are left for the next run: the budget of calls is spent")


def _metadata(summary: "RunSummary") -> dict[str, Any]:
    """What the run did, for the UI and for `bioloupe refresh`."""
    about: dict[str, Any] = {
        "model": summary.model,
        "answered_by_rule": summary.by_rule,
        "answered_by_model": summary.by_llm,
        "failed": summary.failed,
        "unread": summary.unread,
        "calls": summary.calls,
        "prompt_tokens": summary.prompt_tokens,
        "cached_tokens": summary.cached_tokens,
        "completion_tokens": summary.completion_tokens,
        "seconds": round(summary.seconds, 1),
    }
    if summary.cost_usd is not None:
        about["cost_usd"] = summary.cost_usd
    if summary.stopped:
        about["stopped"] = summary.stopped
    if summary.failures:
        rows = "\n".join(f"| {text} | {error} |" for text, error in summary.failures)
        about["failures"] = MarkdownMetadataValue(f"| text | error |\n|---|---|\n{rows}")
    return about
