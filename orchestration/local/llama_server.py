"""llama.cpp's OpenAI server as a process of its own: `python -m orchestration.local.llama_server`.

Standard input: one line of JSON with the settings, then nothing until the parent closes it or dies, by whatever
signal; that is this process's end too. Standard output: one line with the address, once requests are served.
Standard error: the log. The API key comes by the pipe, since arguments can be read by every user of the machine.
"""

import json
import os
import sys
import threading
import time
from typing import Any

LOG_BYTES = 5_000_000
POLL_SECONDS = 1.0


def main() -> None:
    """Load the model, serve it, and end with the parent."""
    parent = os.getppid()
    settings = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    answer = os.dup(1)
    # llama.cpp writes its log to both streams.
    os.dup2(2, 1)
    server = _serve(settings)
    with os.fdopen(answer, "w") as pipe:
        print(json.dumps({"address": server.listening_address}), file=pipe)
    threading.Event().wait()


def _serve(settings: dict[str, Any]) -> Any:
    """Start llama.cpp's server in this process; returns when the model is loaded and requests are served."""
    import xllamacpp  # type: ignore[import-untyped]

    params = xllamacpp.CommonParams()
    params.model.path = settings["model_path"]
    params.model_alias = {settings["model"]}
    params.api_keys = [settings["api_key"]]
    params.port = settings["port"]
    params.n_ctx = settings["context_tokens"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.slot_save_path = settings["cache_folder"] + os.sep
    # One request at a time is as fast as several on a CPU, and one slot keeps one cached prefix.
    params.n_parallel = 1
    params.cache_ram_mib = 0
    # Weights in memory of their own: mapped ones are evicted, and are there twice once they are repacked.
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    params.warmup = False
    params.ui = False
    params.verbosity = 2
    params.sleep_idle_seconds = settings["idle_seconds"]
    return xllamacpp.Server(params)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _watch(parent: int) -> None:
    """End if the parent is gone while others hold the pipe open (children that it forked), and keep the log short."""
    while True:
        if os.getppid() != parent:
            os._exit(0)
        if os.fstat(2).st_size > LOG_BYTES:
            os.ftruncate(2, 0)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
