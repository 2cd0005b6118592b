"""The language model that the settings name: somebody's OpenAI API, or the embedded server."""

from collections.abc import Generator
from contextlib import contextmanager

from openai import OpenAI

from orchestration.enrichment.model import Model, embedded, hosted
from orchestration.local.llm import EmbeddedLLM, model_name
from orchestration.local.model_file import Progress
from orchestration.settings import Settings

DEFAULT_HOSTED_MODEL = "gpt-4.1-mini"
MAX_RETRIES = 4
# A batch of answers waits for its slowest call; the client library alone would wait ten minutes.
TIMEOUT_SECONDS = 120.0


def configured_model(settings: Settings) -> Model:
    """The model under whose name answers are stored, and how it is to be asked."""
    if settings.uses_embedded_llm:
        return embedded(model_name(settings.llm_model_path))
    return hosted(settings.llm_model or DEFAULT_HOSTED_MODEL)


@contextmanager
def open_client(settings: Settings, fetching: Progress | None = None) -> Generator[OpenAI, None, None]:
    """Yield a client of the configured model; the embedded server runs as long as it is open.

    fetching: hears of the model file's bytes, if it must come first. Raises ServiceUnavailable.
    """
    if settings.uses_embedded_llm:
        with (
            EmbeddedLLM(settings.home, settings.llm_model_path, progress=fetching) as server,
            _client(server.api_key, server.base_url) as client,
        ):
            yield client
        return
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
    with _client(key, settings.openai_base_url) as client:
        yield client


def _client(api_key: str, base_url: str | None) -> OpenAI:
    return OpenAI(api_key=api_key, base_url=base_url, max_retries=MAX_RETRIES, timeout=TIMEOUT_SECONDS)
