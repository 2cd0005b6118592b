"""The language model as a Dagster resource: a paid API or the embedded server, counted by dagster-openai."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from dagster import AssetExecutionContext, AssetKey, ConfigurableResource

from orchestration.settings import settings

if TYPE_CHECKING:
    from openai import OpenAI


class LanguageModel(ConfigurableResource[Any]):
    """Opens an OpenAI client for one asset; its calls and tokens land in that asset's metadata.

    With no key and no base URL the embedded server is started for as long as the client is open. The key is read from
    the settings when a client is opened, so no run's configuration ever holds it. Each opening builds a client of its
    own, where dagster-openai's resource wraps one shared client again and again, so that the second asset of a process
    would count into the first one's metadata; importing that resource also costs every process half a second.
    """

    @contextmanager
    def open(
        self, context: AssetExecutionContext, asset_key: AssetKey, fetching: Callable[[int, int | None], None]
    ) -> "Iterator[OpenAI]":
        """Yield a client whose usage counts for `asset_key`; `fetching` hears of the model file's bytes, if any.

        Raises ServiceUnavailable, with the remedy, where the embedded server has no model file.
        """
        from orchestration.local.language_model import open_client

        with open_client(settings(), fetching) as client:
            _count_usage(client, context, asset_key)
            yield client


def _count_usage(client: "OpenAI", context: AssetExecutionContext, asset_key: AssetKey) -> None:
    """Have dagster-openai count what chat completions use.

    Its own wrapping counts in whichever thread made the call, and fails where a server tells no usage.
    """
    from dagster_openai import with_usage_metadata

    create, turn = client.chat.completions.create, Lock()
    count = with_usage_metadata(context, context.output_for_asset_key(asset_key), lambda reply: reply)

    def create_and_count(*arguments: Any, **options: Any) -> Any:
        reply = create(*arguments, **options)
        if getattr(reply, "usage", None) is not None:
            with turn:
                count(reply)
        return reply

    client.chat.completions.create = create_and_count  # type: ignore[method-assign]
