"""The sandbox registry, served by a process of its own for as long as a load needs it."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ingest.sandbox.serve import base_url, listen
from ingest.sandbox.state import STATE_FILE, open_state
from orchestration.settings import PROJECT_ROOT, Settings

_log = logging.getLogger(__name__)
_READY_WITHIN_SECONDS = 120
_STOPPED_WITHIN_SECONDS = 5


class SandboxError(Exception):
    """The sandbox did not come up; the message says where its log is."""


def state_path(settings: Settings) -> Path:
    """The file that says which registry this home's sandbox serves, and on which night."""
    return settings.home / "sandbox" / STATE_FILE


@contextmanager
def running_sandbox(settings: Settings) -> Iterator[str]:
    """Serve the sandbox on a free loopback port; yield its API's base URL once it answers.

    The registry is the one of `sandbox_studies` and `sandbox_seed`, on the night that `bioloupe sandbox advance` has
    come to; if the stored registry is another one, a fresh one is started, and the log says so. Raises SandboxError.
    """
    path = state_path(settings)
    _, given_up = open_state(path, settings.sandbox_studies, settings.sandbox_seed)
    if given_up:
        _log.warning(given_up)
    log = settings.home / "logs" / "sandbox.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with listen(0) as listening, open(log, "ab") as output:
        url = base_url(listening)
        server = subprocess.Popen(
            [sys.executable, "-m", "ingest.sandbox", str(path), str(listening.fileno()), str(os.getpid())],
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=PROJECT_ROOT,
        )
    try:
        _wait(url, server, log)
        yield url
    finally:
        _stop(server)


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server answers: at once, unless a registry of hundreds of thousands has to be laid out (seconds)."""
    give_up = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < give_up:
        if server.poll() is not None:
            raise SandboxError(f"the sandbox ended with exit code {server.returncode}; its log: {log}")
        try:
            if httpx.get(f"{url}/version", timeout=_READY_WITHIN_SECONDS).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SandboxError(f"the sandbox did not answer within {_READY_WITHIN_SECONDS} seconds; its log: {log}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
