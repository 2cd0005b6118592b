"""The drill's registry: made-up records in a file, served over HTTP, that can be spoiled, mended and switched off."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from ingest.sandbox.registry import SyntheticRegistry
from ingest.sandbox.serve import base_url, listen
from orchestration.settings import PROJECT_ROOT

Record = dict[str, Any]
STARTS_WITHIN_SECONDS = 60


class DrillRegistry:
    """`studies` records, each night with dates of its own, on one loopback port whatever is served there."""

    def __init__(self, folder: Path, studies: int, seed: int = 7) -> None:
        registry = SyntheticRegistry(seed, studies, 0)
        self._records = [orjson.loads(registry.render(index)) for index in registry.by_index]
        self._newest = max(filter(None, map(_updated, self._records)))
        self._folder, self.nights = folder, 0
        self._server: subprocess.Popen[bytes] | None = None
        with listen(0) as probe:
            self.url, self._port = base_url(probe), probe.getsockname()[1]

    def publish(self, spoil: Callable[[Record], None] | None = None, share: float = 1.0) -> None:
        """Serve a new night: a share of the records is dated anew, spoiled by `spoil` if one is given."""
        self.stop()
        self.nights += 1
        day = (date.fromisoformat(self._newest) + timedelta(days=self.nights)).isoformat()
        records = [orjson.loads(orjson.dumps(record)) for record in self._records]
        if self.nights > 1:
            for record in records[: round(share * len(records))]:
                record["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": day, "type": "ACTUAL"}
                if spoil:
                    spoil(record)
        file = self._folder / f"night-{self.nights}.ndjson"
        file.write_bytes(b"\n".join(orjson.dumps(record) for record in records))
        # The replay takes the file's time for the registry's: nights must differ by a second at least.
        os.utime(file, (time.time(), time.time() + self.nights))
        self._serve(file)

    def stop(self) -> None:
        """Nobody answers any more."""
        if self._server:
            self._server.terminate()
            self._server.wait()
            self._server = None

    def _serve(self, file: Path) -> None:
        command = [sys.executable, "-m", "orchestration", "sandbox", "serve", "--replay", str(file)]
        log = open(self._folder / "registry.log", "ab")  # noqa: SIM115 - the server's, as long as it runs
        self._server = subprocess.Popen(
            [*command, "--port", str(self._port)], cwd=PROJECT_ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(f"the drill's registry did not start: see {self._folder / 'registry.log'}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/version", timeout=5).is_success
        except httpx.HTTPError:
            return False


def lose_conditions_and_sites(record: Record) -> None:
    """What a registry's own bad night looks like: records that are well formed and half empty."""
    protocol = record["protocolSection"]
    protocol.pop("conditionsModule", None)
    protocol.pop("contactsLocationsModule", None)


def _updated(record: Record) -> str | None:
    date_struct = record["protocolSection"]["statusModule"].get("lastUpdatePostDateStruct") or {}
    value = date_struct.get("date")
    return str(value) if value else None
