"""`python -m ingest.sandbox STATE_FILE FD PARENT`: serve a state file's registry on an inherited listening socket."""

import socket
import sys
from pathlib import Path

from ingest.sandbox.serve import ServeOptions, end_with_parent, serve


def main() -> None:
    state_path, descriptor, parent = sys.argv[1:]
    end_with_parent(int(parent))
    # Its only client sits on the same machine, where compressing costs more than it saves.
    serve(ServeOptions(Path(state_path), compress=False), socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main()
