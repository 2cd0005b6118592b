"""Every environment variable that bioloupe-data reads, with its default, in one place.

`ingest` is told what it needs through arguments; nothing below this package reads the environment.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestration import branch_names, database_url, tls

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PUBLIC_CTGOV_API_URL = "https://clinicaltrials.gov/api/v2"


class Settings(BaseSettings):
    """The configuration of one process: environment variables first, then `.env` in the checkout's root."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    env: Literal["dev", "ci", "staging", "prod"] = Field("dev", validation_alias="BIOLOUPE_ENV")
    branch: str | None = Field(None, validation_alias="BIOLOUPE_BRANCH", validate_default=True)
    shared_home: Path = Field(PROJECT_ROOT / ".bioloupe", validation_alias="BIOLOUPE_HOME")

    db_tls: tls.Level = Field("verify-full", validation_alias="BIOLOUPE_DB_TLS")
    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    dagster_database_url: SecretStr | None = Field(None, validation_alias="DAGSTER_DATABASE_URL")
    loader_database_url: SecretStr | None = Field(None, validation_alias="LOADER_DATABASE_URL")
    transformer_database_url: SecretStr | None = Field(None, validation_alias="TRANSFORMER_DATABASE_URL")
    enricher_database_url: SecretStr | None = Field(None, validation_alias="ENRICHER_DATABASE_URL")
    db_port: int = Field(54329, ge=1024, le=65535, validation_alias="BIOLOUPE_DB_PORT")

    sources: Literal["sandbox", "live"] = Field("sandbox", validation_alias="BIOLOUPE_SOURCES")
    ctgov_api_url: str | None = Field(None, validation_alias="CTGOV_API_URL")
    scope: str | None = Field(None, validation_alias="BIOLOUPE_SCOPE")
    retry_seconds: float = Field(60, ge=0, validation_alias="BIOLOUPE_RETRY_SECONDS")
    sandbox_studies: int = Field(2_000, ge=1, validation_alias="BIOLOUPE_SANDBOX_STUDIES")
    sandbox_seed: int = Field(1, validation_alias="BIOLOUPE_SANDBOX_SEED")

    llm: Literal["on", "off"] = Field("on", validation_alias="BIOLOUPE_LLM")
    llm_model: str | None = Field(None, validation_alias="BIOLOUPE_LLM_MODEL")
    llm_model_path: Path | None = Field(None, validation_alias="BIOLOUPE_LLM_MODEL_PATH")
    llm_max_calls: int = Field(500, ge=0, validation_alias="BIOLOUPE_LLM_MAX_CALLS")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")

    executor: Literal["in_process", "celery", "kubernetes"] = Field("in_process", validation_alias="BIOLOUPE_EXECUTOR")
    celery_broker_url: SecretStr | None = Field(
        None, validation_alias="BIOLOUPE_CELERY_BROKER_URL", validate_default=True
    )
    celery_lost_after: int = Field(60, ge=6, validation_alias="BIOLOUPE_CELERY_LOST_AFTER")

    node: FilePath | None = Field(None, validation_alias="BIOLOUPE_NODE")

    export_dir: Path | None = Field(None, validation_alias="BIOLOUPE_EXPORT_DIR")
    export_keep: int = Field(3, ge=1, validation_alias="BIOLOUPE_EXPORT_KEEP")

    automation: Literal["on", "off"] | None = Field(None, validation_alias="BIOLOUPE_AUTOMATION")
    alert_urls: SecretStr | None = Field(None, validation_alias="BIOLOUPE_ALERT_URLS")
    alert_repeat_hours: float = Field(24, gt=0, validation_alias="BIOLOUPE_ALERT_REPEAT_HOURS")
    stale_hours: float = Field(36, gt=0, validation_alias="BIOLOUPE_STALE_HOURS")
    ui_url: str = Field("http://127.0.0.1:3000", validation_alias="BIOLOUPE_UI_URL")

    @field_validator("shared_home", "llm_model_path", "node", "export_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @field_validator("branch")
    @classmethod
    def _branch_where_it_belongs(cls, branch: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("env") == "staging":
            if branch is None:
                raise ValueError("staging is one branch's deployment: `bioloupe branch create NAME` prints what to set")
            if not branch_names.is_slug(branch):
                raise ValueError(f"not a name for schemas; of this one it would be {branch_names.slug(branch)}")
        elif branch is not None and "env" in info.data:
            raise ValueError("only BIOLOUPE_ENV=staging has branches: set that too, or unset this")
        return branch

    @field_validator(
        "database_url",
        "dagster_database_url",
        "loader_database_url",
        "transformer_database_url",
        "enricher_database_url",
    )
    @classmethod
    def _readable_and_encrypted(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is not None and not database_url.is_well_formed(url.get_secret_value()):
            raise ValueError(database_url.FORM)
        if url is not None and info.data.get("env") in ("staging", "prod"):
            lacking = tls.shortcoming(url.get_secret_value(), info.data.get("db_tls", "off"))
            if lacking:
                raise ValueError(lacking)
        return url

    @field_validator("ctgov_api_url", "openai_base_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not _is_web_address(url):
            raise ValueError("must look like http://host:8080/path or https://host/path")
        return url

    @field_validator("celery_broker_url")
    @classmethod
    def _redis(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is None and info.data.get("executor") == "celery":
            raise ValueError("BIOLOUPE_EXECUTOR=celery needs a Redis: redis://host:6379/0, or rediss:// with TLS")
        if url is not None and not url.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("leases of tasks are kept in Redis: redis://host:6379/0, or rediss:// with TLS")
        return url

    @property
    def home(self) -> Path:
        """Where this deployment keeps its files: each branch in a directory of its own."""
        return self.shared_home / "branches" / self.branch if self.branch else self.shared_home

    def schema_of(self, layer: str) -> str:
        """The schema that holds a modelled layer (ctgov, intermediate, analytics, …): the branch's own in staging."""
        return branch_names.schema(self.branch, layer) if self.branch else layer

    def loader_url(self, shared: str) -> str:
        """The DSN that loads go to: a login of their own, where one is set, instead of the `shared` one."""
        return self.loader_database_url.get_secret_value() if self.loader_database_url else shared

    def enricher_url(self, shared: str) -> str:
        """The DSN that answers are stored with: a login of their own, where one is set, instead of the `shared` one."""
        return self.enricher_database_url.get_secret_value() if self.enricher_database_url else shared

    @property
    def uses_embedded_database(self) -> bool:
        return self.database_url is None

    @property
    def uses_embedded_llm(self) -> bool:
        return self.openai_api_key is None and self.openai_base_url is None

    @property
    def broker_url(self) -> str:
        """The Redis that tasks go through. Raises ConfigurationError where none is set."""
        if self.celery_broker_url is None:
            raise ConfigurationError("no broker: set BIOLOUPE_CELERY_BROKER_URL to a Redis, redis://host:6379/0")
        return self.celery_broker_url.get_secret_value()

    @property
    def exports(self) -> Path:
        """Where exports are published."""
        return self.export_dir or self.home / "exports"

    @property
    def automates(self) -> bool:
        """Whether schedules and sensors start switched on: in production, unless BIOLOUPE_AUTOMATION says otherwise."""
        return self.automation == "on" or (self.automation is None and self.env == "prod")

    @property
    def api_url(self) -> str:
        """Where studies come from outside sandbox mode: a set URL wins over the mode."""
        return self.ctgov_api_url or PUBLIC_CTGOV_API_URL

    @property
    def request_backoff(self) -> float:
        """Seconds before a failed request is made again; doubled each time, six times take as long as a step waits."""
        return self.retry_seconds / 60

    @property
    def uses_sandbox(self) -> bool:
        return self.ctgov_api_url is None and self.sources == "sandbox"


# Variables whose values are never shown.
SECRETS = {str(f.validation_alias) for f in Settings.model_fields.values() if "SecretStr" in str(f.annotation)}


class ConfigurationError(Exception):
    """A setting is wrong; the message names the variable, what it holds and what it may hold."""


@cache
def settings() -> Settings:
    """The settings of this process. Raises ConfigurationError, never falls back to a default on a bad value."""
    return read_settings()


def read_settings(**values: Any) -> Settings:
    """The settings with some `values`, by the names of their variables, in place of what is configured."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError("bad configuration\n  " + "\n  ".join(map(_said, error.errors()))) from None


def _is_web_address(url: str) -> bool:
    """Whether the URL names a host to be asked over HTTP."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:  # of a port that is no number, or too high
        return False


def _said(error: Any) -> str:
    """One wrong setting in one line. Of a secret one, only its name is told."""
    name = ".".join(map(str, error["loc"]))
    if name in Settings.model_fields:  # so a default is called; a value that was set, by its variable
        name = str(Settings.model_fields[name].validation_alias)
    message = error["msg"].removeprefix("Value error, ")
    shown = "" if name in SECRETS else f"={error['input']!r}"
    return f"{name}{shown}: {message}"
