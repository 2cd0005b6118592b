"""The registry that a home folder's sandbox serves, kept in a small file: how many studies, which seed, which night."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock

from ingest.sandbox.faults import Faults
from ingest.sandbox.malformed import MalformedRegistry
from ingest.sandbox.registry import Registry, SyntheticRegistry
from ingest.sandbox.replay import ReplayRegistry

STATE_FILE = "ctgov.json"


@dataclass(frozen=True)
class SandboxState:
    """A synthetic registry on a night."""

    studies: int
    seed: int
    night: int = 0

    @classmethod
    def load(cls, path: Path) -> "SandboxState | None":
        """The state in a file; None if there is no file, or it is of no use."""
        try:
            content = json.loads(path.read_text())
            return cls(**{name: int(content[name]) for name in ("studies", "seed", "night")})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Write the file in one step: a server may be reading it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(asdict(self)) + "\n")
        temporary.replace(path)

    def advanced(self, nights: int = 1) -> "SandboxState":
        return replace(self, night=self.night + nights)


def open_state(path: Path, studies: int, seed: int) -> tuple[SandboxState, str | None]:
    """The stored state, or a fresh one on night 0 if none is stored or it is of another registry.

    Returns the state and, if a stored registry was given up, a sentence that says so.
    """
    stored = SandboxState.load(path)
    if stored is not None and (stored.studies, stored.seed) == (studies, seed):
        return stored, None
    fresh = SandboxState(studies, seed)
    fresh.save(path)
    if stored is None:
        return fresh, None
    return fresh, (
        f"The sandbox was a registry of {stored.studies:,} studies, seed {stored.seed}, night {stored.night}; "
        f"settings ask for {studies:,} studies, seed {seed}: starting that one at night 0."
    )


class FixedStore:
    """A store whose registry stays as it is."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def registry(self) -> Registry:
        return self._registry


class StateStore:
    """A store that follows a state file: when the night there has moved on, so has the registry."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        self._path, self._faults = path, faults or Faults()
        self._lock = Lock()
        self._state: SandboxState | None = None
        self._seen: tuple[int, int] | None = None
        self._registry: Registry | None = None

    def registry(self) -> Registry:
        """Raises FileNotFoundError while there is no state file and never was one."""
        with self._lock:
            seen = self._stat()
            if seen != self._seen or self._registry is None:
                state = SandboxState.load(self._path)
                if state is not None and state != self._state:
                    self._registry = with_faults(
                        SyntheticRegistry(state.seed, state.studies, state.night), self._faults
                    )
                    self._state = state
                self._seen = seen
            if self._registry is None:
                raise FileNotFoundError(f"no sandbox state in {self._path}")
            return self._registry

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def with_faults(registry: Registry, faults: Faults) -> Registry:
    """The registry, with malformed studies in it if any are asked for."""
    return MalformedRegistry(registry, faults.malformed, faults.seed) if faults.malformed else registry


def replay_store(path: Path, faults: Faults | None = None) -> FixedStore:
    """A store that serves the records of a file. Raises OSError and ValueError for what is no file of records."""
    return FixedStore(with_faults(ReplayRegistry(path), faults or Faults()))
