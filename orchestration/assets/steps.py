"""Where a step runs once there is more than one machine: its queue with Celery, what its pod asks of Kubernetes."""

from typing import Any

# By pool, the same names everywhere: CPU and memory that a pod is sure of, and the most memory it may take.
# The language model's are those of the embedded one; a pod that asks a paid API stays far below.
RESOURCES = {
    "clinicaltrials_gov": ("500m", "512Mi", "2Gi"),
    "warehouse": ("250m", "512Mi", "1Gi"),
    "language_model": ("2", "2Gi", "4Gi"),
}
QUEUES = ("runs", "dagster", *RESOURCES)


def placed(pool: str) -> dict[str, Any]:
    """The tags of a step that takes a pool. Steps without a pool go to the queue `dagster`."""
    cpu, memory, most = RESOURCES[pool]
    resources = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}}
    return {
        "dagster-celery/queue": pool,
        "dagster-k8s/config": {"container_config": {"resources": resources}},
    }
