"""Whether a part of a deployment is well, asked on the machine that it runs on: what containers' health checks call."""

import socket
import subprocess
import sys
from collections.abc import Callable

import httpx

SECONDS = 10.0


def webserver() -> str | None:
    """What is wrong with the web server on port 3000, if anything."""
    try:
        answer = httpx.get("http://127.0.0.1:3000/server_info", timeout=SECONDS)
    except httpx.HTTPError as error:
        return f"no answer from the web server: {error}"
    return None if answer.is_success else f"the web server answers {answer.status_code}"


def worker() -> str | None:
    """What is wrong with this machine's Celery workers, if anything. A busy one answers too."""
    from orchestration.deploy.tasks import app

    replies = app.control.ping(timeout=SECONDS / 2)
    names = [name for reply in replies for name in reply]
    here = [name for name in names if name.endswith(f"@{socket.gethostname()}")]
    return None if here else f"no worker of {socket.gethostname()} answers; of others: {', '.join(names) or 'none'}"


def _asked(*arguments: str) -> Callable[[], str | None]:
    def ask() -> str | None:
        command = [sys.executable, "-W", "ignore", "-m", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True)
        return None if ended.returncode == 0 else (ended.stderr or ended.stdout).strip() or "it does not answer"

    return ask


CHECKS: dict[str, Callable[[], str | None]] = {
    "code": _asked("dagster", "api", "grpc-health-check", "-p", "4000"),
    "webserver": webserver,
    "daemon": _asked("dagster._daemon", "liveness-check"),
    "worker": worker,
}
