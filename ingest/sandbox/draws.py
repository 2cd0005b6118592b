"""Random choices that depend on nothing but their key: the same key gives the same choices on every machine."""

from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import exp
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


def mix(a: int, b: int, c: int = 0) -> int:
    """A well-mixed 64-bit hash of three integers (the finalizer of SplitMix64)."""
    x = (a * 0x9E3779B97F4A7C15 + b * 0xBF58476D1CE4E5B9 + c * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class Weighted(Generic[T]):
    """Values with weights, to be drawn from by `Draw.weighted`."""

    __slots__ = ("cumulative", "total", "values")

    def __init__(self, pairs: Iterable[tuple[T, float]]) -> None:
        kept = [(value, weight) for value, weight in pairs if weight > 0]
        self.values = [value for value, _ in kept]
        self.cumulative = list(accumulate(weight for _, weight in kept))
        self.total = self.cumulative[-1]


class Draw:
    """A stream of choices. `Random.random` of an integer seed is the same in every Python version; the rest of
    `random` is neither promised to be, nor fast enough."""

    __slots__ = ("reseed", "unit")

    def __init__(self, key: int = 0) -> None:
        stream = Random(key)
        self.unit = stream.random
        # The method beneath `Random.seed`, which for an integer only adds time; it runs 20 times a study.
        self.reseed = super(Random, stream).seed

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def pick(self, values: Sequence[T]) -> T:
        return values[int(self.unit() * len(values))]

    def weighted(self, table: Weighted[T]) -> T:
        return table.values[bisect(table.cumulative, self.unit() * table.total)]

    def whole(self, low: int, high: int) -> int:
        """A whole number between `low` and `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """Up to `count` distinct values (by position), neighbours in their order: cheap, and random enough for text."""
        size = len(values)
        if count >= size:
            return list(values)
        start, step = int(self.unit() * size), 1 + 2 * int(self.unit() * 3)
        seen = dict.fromkeys((start + step * k) % size for k in range(count))
        return [values[position] for position in seen]

    def spread(self, median: float, sigma: float) -> float:
        """A log-normal number, as counts and sizes in registries are."""
        return median * exp(sigma * self.normal())

    def normal(self) -> float:
        """A standard normal number, near enough (sum of uniforms), of three draws."""
        return (self.unit() + self.unit() + self.unit() - 1.5) * 2.0

    def count(self, median: float, sigma: float, most: int) -> int:
        """A log-normal count between 0 and `most`."""
        return min(most, int(self.spread(median, sigma) + 0.5))
