"""Progress of long work inside a step: to the run's log at a bearable pace, and to whoever watches in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dagster import DagsterLogManager

LOG_EVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Progress:
    """How far one asset's work is. `done` and `total` count `unit`s; `total` is None where it cannot be known."""

    asset: str
    done: int
    total: int | None
    unit: str
    seconds: float

    @property
    def rate(self) -> float:
        """Units per second since the work began."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate

    def __str__(self) -> str:
        of = f" of {self.total:,}" if self.total is not None else ""
        left = f", {self.seconds_left:,.0f} s left" if self.seconds_left else ""
        return f"{self.done:,}{of} {self.unit}, {self.rate:,.1f}/s{left}"


Watcher = Callable[[Progress], None]
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Call `watcher` with every report made in this process: how `bioloupe refresh` draws its live lines."""
    _watchers.append(watcher)


class Reporter:
    """Reports one asset's progress; each call is cheap, so it can be made for every page and every answer."""

    def __init__(self, log: DagsterLogManager, asset: str, unit: str):
        self._log, self._asset, self._unit = log, asset, unit
        self._began = self._logged = time.monotonic()

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        report = Progress(self._asset, done, total, self._unit, now - self._began)
        for watcher in _watchers:
            watcher(report)
        if now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            self._log.info(f"{self._asset}: {report}")
