"""Which model answers, what it costs, and how far it may be trusted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens sent, sent but in the server's cache, and received."""

    sent: float
    cached: float
    received: float

    def of(self, sent: int, cached: int, received: int) -> float:
        """US dollars for these numbers of tokens; `cached` of the `sent` ones were in the cache."""
        return ((sent - cached) * self.sent + cached * self.cached + received * self.received) / 1_000_000


FREE = Price(0.0, 0.0, 0.0)
# Published list prices, without batch or priority tiers.
PRICES = {
    "gpt-5": Price(1.25, 0.125, 10.0),
    "gpt-5-mini": Price(0.25, 0.025, 2.0),
    "gpt-5-nano": Price(0.05, 0.005, 0.4),
    "gpt-4.1": Price(2.0, 0.5, 8.0),
    "gpt-4.1-mini": Price(0.4, 0.1, 1.6),
    "gpt-4.1-nano": Price(0.1, 0.025, 0.4),
    "gpt-4o": Price(2.5, 1.25, 10.0),
    "gpt-4o-mini": Price(0.15, 0.075, 0.6),
    "o4-mini": Price(1.1, 0.275, 4.4),
}
DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# These refuse any temperature but their own.
FIXED_TEMPERATURE = re.compile(r"(o\d|gpt-[5-9])")


@dataclass(frozen=True)
class Model:
    """A model as answers are stored under it.

    price: None where it is not known; its calls then have no cost rather than a wrong one.
    trusted: whether it may overrule what keywords found. workers: how many calls at once serve it best.
    timeout_seconds: how long one call may take. options: further arguments of a chat completion.
    """

    name: str
    price: Price | None = None
    trusted: bool = True
    workers: int = 1
    timeout_seconds: float = 120.0
    options: Mapping[str, Any] = field(default_factory=dict)


def hosted(name: str, price: Price | None = None) -> Model:
    """A model behind somebody's OpenAI API."""
    options = {} if FIXED_TEMPERATURE.match(name) else {"temperature": 0}
    return Model(name, price or PRICES.get(DATED.sub("", name)), workers=8, options=options)


def embedded(name: str) -> Model:
    """A small model on this machine: free, one call at a time, and overruled by keywords that are certain."""
    # The first call reads the whole prompt: half a minute on two cores, many times that on a busy machine.
    return Model(name, FREE, trusted=False, timeout_seconds=1_800.0, options={"temperature": 0, "max_tokens": 256})
