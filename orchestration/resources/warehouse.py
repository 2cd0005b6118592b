"""The warehouse as a Dagster resource."""

from dagster import ConfigurableResource, EnvVar


class WarehouseResource(ConfigurableResource):  # type: ignore[type-arg]
    """Where the warehouse is. `bioloupe` commands set DATABASE_URL for everything they start."""

    url: str = EnvVar("DATABASE_URL")  # type: ignore[assignment]
