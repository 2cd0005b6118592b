"""Progress of long work inside a step: to the run's log at a bearable pace, and to whoever watches in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dagster import DagsterLogManager

LOG_EVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Progress:
    """How far one asset's work is. `done` and `total` count `unit`s; `total` is None where it cannot be known.

    `seconds` is how long the work has gone on since `before` of them were done.
    """

    asset: str
    done: int
    total: int | None
    unit: str
    seconds: float
    before: int = 0

    @property
    def rate(self) -> float:
        """Units per second since the work began."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate

    def __str__(self) -> str:
        of = f" of {self.total:,}" if self.total is not None else ""
        left = f", {self.seconds_left:,.0f} s left" if self.seconds_left else ""
        rate = f", {self.rate:,.1f}/s" if self.rate else ""
        return f"{self.done:,}{of} {self.unit}{rate}{left}"


Watcher = Callable[[Progress], None]
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Call `watcher` with every report made in this process: how `bioloupe refresh` draws its live lines."""
    _watchers.append(watcher)


class Reporter:
    """Reports one asset's progress; each call is cheap, so it can be made for every page and every answer.

    `after_first`: the first report is of what came for nothing; the rate counts from there.
    """

    def __init__(self, log: DagsterLogManager, asset: str, unit: str, *, after_first: bool = False):
        self._log, self._asset, self._unit = log, asset, unit
        self._before: int | None = None if after_first else 0
        self._began = self._logged = time.monotonic()

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if self._before is None:
            self._before, self._began = done, now
        report = Progress(self._asset, done, total, self._unit, now - self._began, self._before)
        for watcher in _watchers:
            watcher(report)
        if now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            self._log.info(f"{self._asset}: {report}")
