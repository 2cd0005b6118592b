"""Every LLM task by name. A new task is a package like `stop_reasons`, its table in schema.sql, and a line here."""

from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.enrichment.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (STOP_REASONS,)}
