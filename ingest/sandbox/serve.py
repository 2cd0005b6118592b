"""A sandbox as a process: an HTTP server on a loopback port that ends with the process that wanted it."""

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from ingest.sandbox.faults import Faults
from ingest.sandbox.registry import SyntheticRegistry
from ingest.sandbox.server import BASE_PATH, Store, create_app
from ingest.sandbox.state import FixedStore, SandboxState, StateStore, replay_store, with_faults

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ServeOptions:
    """What to serve, and how: the state file's registry, that registry on another `night`, or a file's records."""

    state_path: Path
    night: int | None = None
    replay: Path | None = None
    faults: Faults = field(default_factory=Faults)
    compress: bool = True


def open_store(options: ServeOptions) -> Store:
    """The store that these options ask for. Raises OSError or ValueError if there is nothing to serve."""
    if options.replay is not None:
        return replay_store(options.replay, options.faults)
    if options.night is None:
        return StateStore(options.state_path, options.faults)
    state = SandboxState.load(options.state_path)
    if state is None:
        raise FileNotFoundError(f"no sandbox state in {options.state_path}")
    return FixedStore(with_faults(SyntheticRegistry(state.seed, state.studies, options.night), options.faults))


def listen(port: int) -> socket.socket:
    """A socket that listens on a loopback port, 0 for a free one. Raises OSError if the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def base_url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}{BASE_PATH}"


def serve(options: ServeOptions, listening: socket.socket) -> None:
    """Serve until interrupted."""
    app = create_app(open_store(options), options.faults, compress=options.compress)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=75, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listening])


def end_with_parent(parent: int) -> None:
    """Have this process end when its parent does, however that ends.

    The kernel sees to it on Linux; a look at the parent every second covers other systems, and a parent that was
    gone before the kernel was asked.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
