"""The language model where none is configured: llama.cpp's OpenAI server on this machine, while it is needed."""

import hashlib
import json
import os
import secrets
import select
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from orchestration.enrichment.client import ServiceUnavailable
from orchestration.local.model_file import REMEDY, Progress, fetch_model, model_file, model_name
from orchestration.settings import PROJECT_ROOT

__all__ = ["EmbeddedLLM", "LLMUnavailable", "fetch_model", "model_name"]

START_SECONDS = 180
STOP_SECONDS = 5
IDLE_SECONDS = 300
LOG_BYTES = 1_000_000
LOG_TAIL_CHARACTERS = 800


class LLMUnavailable(ServiceUnavailable):
    """The server does not start; the message says why and what to do."""


class EmbeddedLLM:
    """A context in which an OpenAI API answers at `base_url` to whoever shows `api_key`.

    model_path: one's own GGUF file; None fetches the default one into `<home>/models`, with `progress` (bytes so far,
    bytes in all). context_tokens: room for the prompt and the answer. The server listens on loopback only and ends
    with the context or with this process, even a killed one; after five idle minutes it gives its memory back until
    the next request. What it knows of the last prompt is kept in `<home>/models`, so that the next start needs
    not read the same instructions again (half a minute on two cores).

    Entering raises ModelUnavailable or LLMUnavailable, both of them ServiceUnavailable.
    """

    def __init__(
        self,
        home: Path,
        model_path: Path | None = None,
        *,
        progress: Progress | None = None,
        context_tokens: int = 4096,
    ):
        self.home, self.model = home, model_name(model_path)
        self.api_key = secrets.token_hex(16)
        self.base_url = ""
        self._own, self._progress, self._context_tokens = model_path, progress, context_tokens
        self._process: subprocess.Popen[bytes] | None = None
        self._cache = ""

    def __enter__(self) -> "EmbeddedLLM":
        path = model_file(self.home, self._own, self._progress)
        self._cache = _cache_name(path, self._context_tokens)
        try:
            self._start(path)
            self._slot("restore", self._cache)
        except BaseException:  # an interrupt too must leave no server behind
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._keep_prompt()
        finally:
            self._stop()

    @property
    def _log(self) -> Path:
        return self.home / "logs" / "llm.log"

    @property
    def _cache_folder(self) -> Path:
        return self.home / "models" / "prompts"

    def _start(self, path: Path) -> None:
        """Start the server process and wait until it serves requests."""
        self._cache_folder.mkdir(parents=True, exist_ok=True)
        with _log_file(self._log) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestration.local.llama_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=PROJECT_ROOT,
                env={**os.environ, "OMP_WAIT_POLICY": "passive"},
                # Ctrl-C is the parent's business, which then stops the server in order.
                start_new_session=True,
            )
        self._tell(path)
        address = self._address()
        self.base_url = f"{address}/v1"
        self._wait_until_healthy(address)

    def _tell(self, path: Path) -> None:
        settings = {
            "model_path": str(path),
            "model": self.model,
            "api_key": self.api_key,
            "port": 0,
            "context_tokens": self._context_tokens,
            "threads": _threads(),
            "cache_folder": str(self._cache_folder),
            "idle_seconds": IDLE_SECONDS,
        }
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(settings).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("ended at once") from None

    def _address(self) -> str:
        """The address that the server tells once the model is loaded. Raises LLMUnavailable if it does not."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        if not ready:
            raise self._failure(f"was not ready after {START_SECONDS} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._failure("ended while it loaded the model")
        return str(json.loads(line)["address"])

    def _wait_until_healthy(self, address: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{address}/health", timeout=5, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise self._failure("does not answer")

    def _failure(self, what: str) -> LLMUnavailable:
        tail = self._log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
        return LLMUnavailable(f"the embedded language model {what}; its log {self._log} ends in\n{tail}\n{REMEDY}")

    def _keep_prompt(self) -> None:
        """Keep what the server has read of the prompt, in one piece or not at all; older ones are dropped."""
        draft = f"{self._cache}.part"
        # A server that slept has forgotten it, and what was kept before is better than that.
        if not self._slot("save", draft):
            return
        with suppress(OSError):
            os.replace(self._cache_folder / draft, self._cache_folder / self._cache)
            for other in self._cache_folder.iterdir():
                if other.name != self._cache:
                    other.unlink(missing_ok=True)

    def _slot(self, action: str, name: str) -> int:
        """Save or restore what the server's one slot holds: how many tokens. It is only ever a matter of speed."""
        if action == "restore" and not (self._cache_folder / name).exists():
            return 0
        try:
            reply = httpx.post(
                f"{self.base_url.removesuffix('/v1')}/slots/0",
                params={"action": action},
                json={"filename": name},
                headers={"Authorization": f"Bearer {self.api_key}"},
                timeout=30,
                trust_env=False,
            ).raise_for_status()
        except httpx.HTTPError:
            return 0
        return int(reply.json().get(f"n_{action}d", 0))

    def _stop(self) -> None:
        """Close the server's input, which ends it; kill it if that does not."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _threads() -> int:
    """Physical cores that this process may use: more threads than that slow llama.cpp down."""
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def _cache_name(path: Path, context_tokens: int) -> str:
    """A name that changes with the model file, the library that wrote the cache, and the room it was written for."""
    stat = path.stat()
    key: list[Any] = [str(path), stat.st_size, stat.st_mtime_ns, version("xllamacpp"), context_tokens]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16] + ".slot"


def _log_file(path: Path) -> Any:
    """The log, opened for appending; the one before is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        os.replace(path, path.with_suffix(".log.1"))
    return path.open("ab")
