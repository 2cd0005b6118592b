"""Tell people what was found, unless they know: decision, memory and targets put together, without Dagster."""

from datetime import datetime, timedelta, timezone

from orchestration.automation.alert_memory import turn
from orchestration.automation.alerts import Findings, Message, decide, messages
from orchestration.automation.targets import Delivery, send, targets
from orchestration.settings import Settings

TEST = Message(
    "bioloupe: a test message",
    "Alerts of failures and recoveries of the refresh will come here, each once.",
    recovered=True,
)


def notify(
    config: Settings, database_url: str, findings: Findings, about: str, link: str, run_id: str | None = None
) -> list[Delivery]:
    """Send what is news to every target. Returns what became of it; empty where nothing was news or no target is set.

    `database_url` is Dagster's. A run is told of once, whoever asks. Where no target takes a message nothing is
    remembered, so that the next run tells it. Raises ConfigurationError for a wrong URL or an unreachable database.
    """
    to = targets(config)
    if not to or not (findings.problems or findings.healthy):
        return []
    with turn(database_url, run_id) as memory:
        if memory is None:
            return []
        now = datetime.now(timezone.utc)
        decision = decide(memory.known, findings, now, timedelta(hours=config.alert_repeat_hours))
        deliveries = []
        for message, told in messages(decision, about, link):
            took = send(message, to)
            if any(not delivery.error for delivery in took):
                memory.keep(told, now)
            deliveries += took
    return deliveries


def link_to(config: Settings, run_id: str | None) -> str:
    """Where the UI shows a run, or, without one, all of them."""
    base = config.ui_url.rstrip("/")
    return f"{base}/runs/{run_id}" if run_id else f"{base}/runs"
