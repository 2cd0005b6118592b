"""Where alerts go: Apprise URLs. They hold tokens and passwords, so nothing here ever shows one."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestration.automation.alerts import Message
from orchestration.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from apprise import NotifyBase

_PARTS = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Target:
    """One service that takes messages. `name` may be shown: the service's kind and its place in the list."""

    name: str
    service: "NotifyBase" = field(repr=False)
    url: str = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """What became of one message at one target; `error` is empty where it was taken."""

    target: str
    error: str


def targets(config: Settings) -> list[Target]:
    """The targets of BIOLOUPE_ALERT_URLS; none where it is not set. Raises ConfigurationError for what is no target."""
    if config.alert_urls is None:
        return []
    # Imported here: 0.3 seconds that most processes never need.
    from apprise.utils.parse import parse_urls

    secret = config.alert_urls.get_secret_value()
    found = [_target(place, url) for place, url in enumerate(parse_urls(secret), 1)]  # type: ignore[no-untyped-call]
    if not found:
        raise ConfigurationError("BIOLOUPE_ALERT_URLS holds no URL: https://appriseit.com/services/ lists their forms")
    return found


def send(message: Message, to: list[Target]) -> list[Delivery]:
    """Give the message to every target; one that is down keeps no other from it."""
    return [Delivery(target.name, _send(message, target)) for target in to]


def _target(place: int, url: str) -> Target:
    from apprise import Apprise

    with _overheard():
        service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise ConfigurationError(
            f"URL {place} of BIOLOUPE_ALERT_URLS is none that Apprise knows: https://appriseit.com/services/"
        )
    return Target(f"{place} ({service.service_name})", service, url)


def _send(message: Message, target: Target) -> str:
    from apprise import NotifyType

    kind = NotifyType.SUCCESS if message.recovered else NotifyType.FAILURE
    with _overheard() as said:
        try:
            taken = target.service.notify(body=message.body, title=message.title, notify_type=kind)
        except Exception as error:  # a plugin's own mistake must not hide the failure that it should have told
            taken = False
            said.append(f"{type(error).__name__}: {error}")
    return "" if taken else _without_secrets("; ".join(said) or "it did not take the message", target.url)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Keep what Apprise logs, which may hold URLs, from all logs; yield its warnings and errors."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    log = logging.getLogger("apprise")
    listener, handlers, propagate = Listener(), log.handlers, log.propagate
    log.handlers, log.propagate = [listener], False
    try:
        yield said
    finally:
        log.handlers, log.propagate = handlers, propagate


def _without_secrets(text: str, url: str) -> str:
    """The text with every part of the URL behind its scheme struck out."""
    parts = {part for part in _PARTS.split(url.split("://", 1)[-1]) if len(part) >= 3}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return " ".join(text.split())
