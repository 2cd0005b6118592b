"""Every environment variable that bioloupe-data reads, with its default, in one place.

`ingest` is told what it needs through arguments; nothing below this package reads the environment.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PUBLIC_CTGOV_API_URL = "https://clinicaltrials.gov/api/v2"


class Settings(BaseSettings):
    """The configuration of one process: environment variables first, then `.env` in the checkout's root."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    env: Literal["dev", "ci", "prod"] = Field("dev", validation_alias="BIOLOUPE_ENV")
    home: Path = Field(PROJECT_ROOT / ".bioloupe", validation_alias="BIOLOUPE_HOME")

    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    dagster_database_url: SecretStr | None = Field(None, validation_alias="DAGSTER_DATABASE_URL")
    db_port: int = Field(54329, ge=1024, le=65535, validation_alias="BIOLOUPE_DB_PORT")

    sources: Literal["sandbox", "live"] = Field("sandbox", validation_alias="BIOLOUPE_SOURCES")
    ctgov_api_url: str | None = Field(None, validation_alias="CTGOV_API_URL")
    scope: str | None = Field(None, validation_alias="BIOLOUPE_SCOPE")
    sandbox_studies: int = Field(2_000, ge=1, validation_alias="BIOLOUPE_SANDBOX_STUDIES")
    sandbox_seed: int = Field(1, validation_alias="BIOLOUPE_SANDBOX_SEED")

    llm: Literal["on", "off"] = Field("on", validation_alias="BIOLOUPE_LLM")
    llm_model: str | None = Field(None, validation_alias="BIOLOUPE_LLM_MODEL")
    llm_model_path: Path | None = Field(None, validation_alias="BIOLOUPE_LLM_MODEL_PATH")
    llm_max_calls: int = Field(500, ge=0, validation_alias="BIOLOUPE_LLM_MAX_CALLS")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")

    node: FilePath | None = Field(None, validation_alias="BIOLOUPE_NODE")

    @field_validator("home", "llm_model_path", "node")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @property
    def uses_embedded_database(self) -> bool:
        return self.database_url is None

    @property
    def uses_embedded_llm(self) -> bool:
        return self.openai_api_key is None and self.openai_base_url is None

    @property
    def api_url(self) -> str:
        """Where studies come from outside sandbox mode: a set URL wins over the mode."""
        return self.ctgov_api_url or PUBLIC_CTGOV_API_URL

    @property
    def uses_sandbox(self) -> bool:
        return self.ctgov_api_url is None and self.sources == "sandbox"


class ConfigurationError(Exception):
    """A setting is wrong; the message names the variable, what it holds and what it may hold."""


@cache
def settings() -> Settings:
    """The settings of this process. Raises ConfigurationError, never falls back to a default on a bad value."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}={e['input']!r}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("bad configuration\n  " + "\n  ".join(lines)) from None
