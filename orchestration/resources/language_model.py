"""The language model as a Dagster resource: dagster-openai's, in front of a paid API or the embedded server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from dagster import AssetExecutionContext, AssetKey, EnvVar, InitResourceContext
from dagster_openai import OpenAIResource, with_usage_metadata
from openai import OpenAI

from orchestration.local.language_model import open_client
from orchestration.settings import Settings, settings


class LanguageModel(OpenAIResource):
    """Opens an OpenAI client for one asset; its calls and tokens land in that asset's metadata.

    With no key and no base URL the embedded server is started for as long as the client is open. Each opening builds
    a client of its own: the base class wraps one shared client again and again, so that the second asset of a
    process would count into the first one's metadata.
    """

    @classmethod
    def configured(cls, config: Settings) -> "LanguageModel":
        """The resource for these settings. The key stays an EnvVar, so no run's configuration ever holds it."""
        key = EnvVar("OPENAI_API_KEY") if config.openai_api_key else "none"
        return cls(api_key=key, base_url=config.openai_base_url)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Open nothing yet: most steps never ask the model."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Nothing is left open between steps."""

    @contextmanager
    def open(
        self, context: AssetExecutionContext, asset_key: AssetKey, fetching: Callable[[int, int | None], None]
    ) -> Iterator[OpenAI]:
        """Yield a client whose usage counts for `asset_key`; `fetching` hears of the model file's bytes, if any.

        Raises ServiceUnavailable, with the remedy, where the embedded server has no model file.
        """
        with open_client(settings(), fetching) as client:
            _count_usage(client, context, asset_key)
            yield client


def _count_usage(client: OpenAI, context: AssetExecutionContext, asset_key: AssetKey) -> None:
    """Have dagster-openai count what chat completions use.

    Its own wrapping counts in whichever thread made the call, and fails where a server tells no usage.
    """
    create, turn = client.chat.completions.create, Lock()
    count = with_usage_metadata(context, context.output_for_asset_key(asset_key), lambda reply: reply)

    def create_and_count(*arguments: Any, **options: Any) -> Any:
        reply = create(*arguments, **options)
        if getattr(reply, "usage", None) is not None:
            with turn:
                count(reply)
        return reply

    client.chat.completions.create = create_and_count  # type: ignore[method-assign]
