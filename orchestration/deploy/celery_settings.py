"""How Celery treats steps: whoever sends them and whoever runs them read the same settings."""

from typing import Any

SETTINGS: dict[str, Any] = {
    # A step is taken off the broker when it is done, not when it is begun: a dead worker's goes to another one.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # None is held back for later by a worker that is busy.
    "worker_prefetch_multiplier": 1,
    # One that died between its last step's end and saying so must not have it run again.
    "worker_deduplicate_successful_tasks": True,
    "broker_connection_retry_on_startup": True,
    "task_default_queue": "dagster",
    "task_default_priority": 5,
    "broker_transport_options": {"socket_keepalive": True, "max_retries": 3},
}


def worker_settings(lost_after: int) -> dict[str, Any]:
    """The settings of a worker. What no worker has spoken of for `lost_after` seconds is handed to another one."""
    transport = {
        **SETTINGS["broker_transport_options"],
        "visibility_timeout": lost_after,
        # Looked for so often, in seconds, and each time.
        "unacked_restore_interval": max(1, lost_after // 6),
        "unacked_restore_throttle": 1,
    }
    # In kilobytes: a process that has grown beyond it is replaced after its step.
    return {**SETTINGS, "broker_transport_options": transport, "worker_max_memory_per_child": 1_000_000}
