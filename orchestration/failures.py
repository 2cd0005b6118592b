"""Why something failed in Dagster, in one line: what our code or a library raised, not how Dagster wrapped it."""

import re

from dagster import DagsterEvent
from dagster_shared.error import SerializableErrorInfo

INTERRUPTED = "interrupted"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def reason(event: DagsterEvent) -> str:
    """Why a step failed or is tried again."""
    error = (event.step_retry_data if event.is_step_up_for_retry else event.step_failure_data).error
    return root_cause(error)


def root_cause(error: SerializableErrorInfo | None) -> str:
    """The innermost error that is not Dagster's own."""
    while error is not None and error.cause is not None and _wraps(error):
        error = error.cause
    if error is None or error.cls_name == "DagsterExecutionInterruptedError":
        return INTERRUPTED
    line = " ".join(_ANSI.sub("", error.message).split()).split(": ", 1)[-1]
    # dagster-dbt tells the command and where its logs are before what dbt said.
    return line.rsplit("Errors parsed from dbt logs: ", 1)[-1]


def _wraps(error: SerializableErrorInfo) -> bool:
    """Whether Dagster raised this around the real error. Giving up on retries is a plain Failure of its own."""
    name = error.cls_name or ""
    return name.startswith("Dagster") or name in ("RetryRequestedFromPolicy", "RetryRequested", "Failure")
