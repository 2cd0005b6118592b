"""The error of the embedded Postgres, in a module of its own because all its parts raise it."""

from orchestration.settings import ConfigurationError


class EmbeddedPostgresError(ConfigurationError):
    """The embedded server can't do what was asked; the message says why and names the remedy."""
