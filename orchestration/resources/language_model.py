"""The language model as a Dagster resource: dagster-openai's, in front of a paid API or the embedded server."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from dagster import AssetExecutionContext, AssetKey, EnvVar, InitResourceContext
from dagster_openai import OpenAIResource
from openai import OpenAI
from pydantic import PrivateAttr

from orchestration.local.llm import EmbeddedLLM
from orchestration.settings import Settings, settings

TIMEOUT_SECONDS = 120.0
MAX_RETRIES = 4


class LanguageModel(OpenAIResource):
    """Opens an OpenAI client for one asset; its calls and tokens land in that asset's metadata.

    With no key and no base URL the embedded server is started for as long as the client is open. Each opening builds
    a client of its own: the base class wraps one shared client again and again, so that the second asset of a
    process would count into the first one's metadata.
    """

    _client: OpenAI = PrivateAttr()

    @classmethod
    def configured(cls, config: Settings) -> "LanguageModel":
        """The resource for these settings. The key stays an EnvVar, so no run's configuration ever holds it."""
        return cls(api_key=EnvVar("OPENAI_API_KEY") if config.openai_api_key else "none", base_url=config.openai_base_url)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Open nothing yet: most steps never ask the model."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Nothing is left open between steps."""

    @contextmanager
    def open(
        self, context: AssetExecutionContext, asset_key: AssetKey, fetching: Callable[[int, int | None], None]
    ) -> Generator[OpenAI, None, None]:
        """Yield a client whose usage counts for `asset_key`; `fetching` hears of the model file's bytes, if any."""
        if not settings().uses_embedded_llm:
            with self._client_of(context, asset_key, self.base_url, self.api_key) as client:
                yield client
            return
        with (
            EmbeddedLLM(settings().home, settings().llm_model_path, progress=fetching) as server,
            self._client_of(context, asset_key, server.base_url, server.api_key) as client,
        ):
            yield client

    @contextmanager
    def _client_of(
        self, context: AssetExecutionContext, asset_key: AssetKey, base_url: str | None, api_key: str
    ) -> Generator[OpenAI, None, None]:
        with OpenAI(
            api_key=api_key,
            base_url=base_url,
            organization=self.organization,
            project=self.project,
            timeout=TIMEOUT_SECONDS,
            max_retries=MAX_RETRIES,
        ) as self._client:
            with self.get_client_for_asset(context, asset_key) as client:
                yield client
