"""A throw-away installation of bioloupe for the drill: own home, own Postgres, own registry, own alert receiver."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from orchestration.drill.receiver import Receiver
from orchestration.drill.registry import DrillRegistry
from orchestration.local.model_file import QWEN
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.warehouse import query

# What names the installation of whoever runs the drill: the drill's has its own.
OURS = ("BIOLOUPE_", "CTGOV_", "DAGSTER_", "DBT_", "OPENAI_")
STATE = """
select (select count(*) from ctgov.studies), (select count(distinct nct_id) from ctgov.studies),
    (select count(*) from ctgov.conditions), (select count(*) from analytics.dim_trials),
    (select count(*) from enrichment.stop_reasons)
"""
URLS = ("DATABASE_URL", "LOADER_DATABASE_URL", "TRANSFORMER_DATABASE_URL", "ENRICHER_DATABASE_URL")


class House:
    """The installation. As a context it starts everything, and removes everything at the end unless `keep`."""

    def __init__(self, config: Settings, studies: int, keep: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bioloupe-drill-"))
        # The server of an embedded database runs as another user where the drill is root's.
        self.folder.chmod(0o755)
        self._keep, self._config = keep, config
        self.receiver = Receiver()
        self.registry = DrillRegistry(self.folder, studies)
        self.environment = self._environment()
        self.url = ""

    def __enter__(self) -> "House":
        self.bioloupe("db", "start").check_returncode()
        self.url = self.bioloupe("db", "url").stdout.strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.registry.stop()
        self.receiver.close()
        self.bioloupe("db", "stop")
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def bioloupe(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `more` environment variables."""
        return subprocess.run(
            self._command(*arguments), env={**self.environment, **more}, cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def kill_while(self, words: str, *arguments: str) -> bool:
        """Start a command and kill it without warning (SIGKILL) once it has printed `words`. False if it never did."""
        process = subprocess.Popen(
            self._command(*arguments), env=self.environment, cwd=PROJECT_ROOT, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        seen = any(words in line for line in process.stdout)
        # The machine takes the children with it: the whole group goes at once.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()
        return seen

    def ensure_first_night(self) -> None:
        """A good night before the first that goes wrong, unless there was one."""
        if not self.registry.nights:
            self.registry.publish()
            self.bioloupe("refresh", BIOLOUPE_LLM="off").check_returncode()
            self.receiver.new()

    def state(self) -> tuple[int, ...]:
        """What a night may neither lose nor have twice: rows staged, distinct ids, conditions, trials, answers."""
        counts: tuple[int, ...] = query(self.url, STATE)[0]
        return counts

    def one(self, statement: str) -> Any:
        """The first value of the first row."""
        return query(self.url, statement)[0][0]

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "orchestration", *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS) and k not in URLS}
        return {**kept, **_language_model(self._config), **{
            "BIOLOUPE_ENV": "ci",
            "BIOLOUPE_HOME": str(self.folder / "home"),
            "BIOLOUPE_DB_PORT": str(_free_port()),
            "PGPASSFILE": str(self.folder / "pgpass"),
            "CTGOV_API_URL": self.registry.url,
            "BIOLOUPE_ALERT_URLS": self.receiver.url,
            # A drill need not wait as patiently as a night.
            "BIOLOUPE_RETRY_SECONDS": "2",
        }}  # fmt: skip


def _language_model(config: Settings) -> dict[str, str]:
    """The language model of whoever runs the drill: an API, or the file that is here already."""
    if not config.uses_embedded_llm:
        named = {"OPENAI_BASE_URL": config.openai_base_url, "BIOLOUPE_LLM_MODEL": config.llm_model}
        key = config.openai_api_key.get_secret_value() if config.openai_api_key else None
        return {name: value for name, value in {**named, "OPENAI_API_KEY": key}.items() if value}
    file = config.llm_model_path or config.home / "models" / QWEN.name
    return {"BIOLOUPE_LLM_MODEL_PATH": str(file)} if file.exists() else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(folder: Path, seconds: float = 10) -> list[str]:
    """Command lines of what still works in the folder's installation, its database apart, after so long a wait."""
    until = time.monotonic() + seconds
    while True:
        left = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                home = process.environ().get("BIOLOUPE_HOME", "")
                if home.startswith(str(folder)) and "postgres" not in line:
                    left.append(line)
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)
