"""The warehouse as a Dagster resource."""

from typing import Any

from dagster import ConfigurableResource, EnvVar

from orchestration.warehouse import query


class WarehouseResource(ConfigurableResource[Any]):
    """Where the warehouse is. `bioloupe` commands set DATABASE_URL for everything they start."""

    url: str = EnvVar("DATABASE_URL")

    def count(self, relation: str) -> int:
        """The rows of a table."""
        count: int = query(self.url, f"select count(*) from {relation}")[0][0]
        return count
