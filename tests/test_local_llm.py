"""The embedded server as a process: started, found out, stopped, never orphaned. With a stand-in for llama.cpp, and
with the real model where that is asked for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from openai import OpenAI

from orchestration.enrichment.client import Budget, ask
from orchestration.enrichment.model import embedded
from orchestration.enrichment.stop_reasons.task import STOP_REASONS
from orchestration.local import llama_server, llm
from orchestration.local.language_model import configured_model, open_client
from orchestration.local.llm import EmbeddedLLM, LLMUnavailable
from orchestration.local.model_file import ModelUnavailable
from orchestration.settings import PROJECT_ROOT, Settings, settings

STAND_IN = """
import json, os, threading, time, types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class llama_load_mode:
    LLAMA_LOAD_MODE_NONE = 0

class CommonParams:
    def __init__(self):
        self.model = types.SimpleNamespace()
        self.cpuparams = types.SimpleNamespace()
        self.cpuparams_batch = types.SimpleNamespace()

class Server:
    def __init__(self, params):
        behaviour = open(params.model.path).read()
        if "broken" in behaviour:
            os.write(2, b"llama_model_load: error loading model: tensors are missing\\n")
            os._exit(1)
        if "slow" in behaviour:
            time.sleep(60)
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply({"status": "ok"})
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                if self.headers["Authorization"] != "Bearer " + params.api_keys[0]:
                    return self.send_error(401)
                if self.path == "/slots/0?action=save":
                    open(params.slot_save_path + body["filename"], "w").write("the prompt")
                print("POST", self.path, flush=True)
                tokens = 0 if "forgetful" in behaviour else 7
                self.reply({"pid": os.getpid(), "n_saved": tokens, "n_restored": tokens})
            def reply(self, content):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())
            def log_message(self, *args):
                pass
        server = ThreadingHTTPServer(("127.0.0.1", params.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = "http://127.0.0.1:%d" % server.server_address[1]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a space in its name, and a stand-in for xllamacpp before the real one."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "xllamacpp.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    return tmp_path / "a home"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model.gguf"
    path.write_bytes(b"GGUF")
    return path


def server_pid(server: EmbeddedLLM) -> int:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    return int(httpx.post(f"{server.base_url}/x", json={}, headers=headers).json()["pid"])


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether the process ends within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_it_serves_within_the_context_and_to_those_with_the_key_only(home: Path, model: Path) -> None:
    with EmbeddedLLM(home, model) as server:
        pid = server_pid(server)
        assert server.model == "my model"
        assert server.base_url.startswith("http://127.0.0.1:")
        assert httpx.post(f"{server.base_url}/x", json={}).status_code == 401
        assert server.api_key not in " ".join(psutil.Process(pid).cmdline())
        assert psutil.Process(pid).environ()["OMP_WAIT_POLICY"] == "passive"
    assert is_gone(pid)


def test_the_prompt_that_was_read_is_kept_for_the_next_start(home: Path, model: Path) -> None:
    prompts = home / "models" / "prompts"
    with EmbeddedLLM(home, model):
        (prompts / "of-an-older-model.slot").write_text("x")
    assert [path.suffix for path in prompts.iterdir()] == [".slot"]
    with EmbeddedLLM(home, model):
        pass
    log = (home / "logs" / "llm.log").read_text()
    assert log.split().count("/slots/0?action=save") == 2
    assert log.split().count("/slots/0?action=restore") == 1


def test_a_server_that_forgot_the_prompt_does_not_replace_what_was_kept(home: Path, model: Path) -> None:
    model.write_text("GGUF forgetful")
    with EmbeddedLLM(home, model):
        pass
    assert not list((home / "models" / "prompts").glob("*.slot"))


def test_it_ends_when_its_user_fails(home: Path, model: Path) -> None:
    pids = []

    def fail() -> None:
        with EmbeddedLLM(home, model) as server:
            pids.append(server_pid(server))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert is_gone(pids[0])


def test_a_server_that_died_within_the_context_does_no_harm(home: Path, model: Path) -> None:
    with EmbeddedLLM(home, model) as server:
        os.kill(server_pid(server), signal.SIGKILL)


USER = """
import os, sys, time
from pathlib import Path
from orchestration.local.llm import EmbeddedLLM
home, model = sys.argv[1:]
with EmbeddedLLM(Path(home), Path(model)) as server:
    # A child that holds all of the parent's descriptors open, as multiprocessing's do.
    if os.fork() == 0:
        time.sleep(15)
        os._exit(0)
    print(server._process.pid, flush=True)
    time.sleep(60)
"""


def test_it_is_no_orphan_even_if_its_parent_is_killed(home: Path, model: Path) -> None:
    command = [sys.executable, "-c", USER, str(home), str(model)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        pid = int(user.stdout.readline())
        children = psutil.Process(user.pid).children()
        user.kill()
        assert is_gone(pid)
        for child in children:
            child.kill()


def test_it_is_no_orphan_if_its_parent_is_killed_while_it_loads(home: Path, model: Path) -> None:
    model.write_text("GGUF slow")
    command = [sys.executable, "-c", USER, str(home), str(model)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT) as user:
        servers: list[psutil.Process] = []
        deadline = time.monotonic() + 20
        while not servers and time.monotonic() < deadline:
            servers = psutil.Process(user.pid).children()
            time.sleep(0.02)
        user.kill()
        assert is_gone(servers[0].pid)


def test_a_model_that_does_not_load_is_named_with_the_log_and_the_remedy(home: Path, model: Path) -> None:
    model.write_text("GGUF broken")
    with pytest.raises(LLMUnavailable, match="tensors are missing") as raised:
        EmbeddedLLM(home, model).__enter__()
    assert "llm.log" in str(raised.value)
    assert "BIOLOUPE_LLM=off" in str(raised.value)


def test_a_model_that_takes_for_ever_is_given_up(home: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm, "START_SECONDS", 1)
    model.write_text("GGUF slow")
    with pytest.raises(LLMUnavailable, match="not ready after 1 s"):
        EmbeddedLLM(home, model).__enter__()


def test_a_missing_model_file_starts_nothing(home: Path) -> None:
    with pytest.raises(ModelUnavailable, match="BIOLOUPE_LLM_MODEL_PATH"):
        EmbeddedLLM(home, home / "none.gguf").__enter__()


def test_a_long_log_is_put_aside(home: Path, model: Path) -> None:
    log = home / "logs" / "llm.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * (llm.LOG_BYTES + 1))
    with EmbeddedLLM(home, model):
        assert log.stat().st_size < llm.LOG_BYTES
    assert log.with_suffix(".log.1").stat().st_size == llm.LOG_BYTES + 1
    assert llama_server.LOG_BYTES >= llm.LOG_BYTES


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Settings]]:
    def configured(**variables: str) -> Settings:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "BIOLOUPE_LLM_MODEL", "BIOLOUPE_LLM_MODEL_PATH"):
            monkeypatch.setenv(name, variables.get(name, ""))
        monkeypatch.setenv("BIOLOUPE_HOME", str(tmp_path))
        settings.cache_clear()
        return settings()

    yield configured
    settings.cache_clear()


def test_a_configured_api_is_used_and_nothing_is_started(
    configuration: Callable[..., Settings], tmp_path: Path
) -> None:
    config = configuration(OPENAI_BASE_URL="http://127.0.0.1:9/v1", BIOLOUPE_LLM_MODEL="house")
    assert (configured_model(config).name, configured_model(config).trusted) == ("house", True)
    with open_client(config) as client:
        assert str(client.base_url) == "http://127.0.0.1:9/v1/"
    config = configuration(OPENAI_API_KEY="secret")
    assert configured_model(config).price is not None
    with open_client(config) as client:
        assert client.api_key == "secret"
    assert not list(tmp_path.iterdir())


def test_nothing_configured_means_the_embedded_model(
    configuration: Callable[..., Settings], home: Path, model: Path
) -> None:
    config = configuration(BIOLOUPE_LLM_MODEL_PATH=str(model))
    assert (configured_model(config).name, configured_model(config).trusted) == ("my model", False)
    with open_client(config) as client:
        assert httpx.get(str(client.base_url).replace("/v1/", "/health")).is_success


@pytest.fixture(scope="module")
def real_server() -> Iterator[EmbeddedLLM]:
    with EmbeddedLLM(settings().home, settings().llm_model_path) as server:
        yield server


@pytest.mark.llm
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Hardly anybody wanted to be in it", "insufficient_enrollment"),
        ("The firm was sold to a rival, which gave up the drug", "business_administrative"),
        ("Mice given the compound for a year got liver cancer", "safety_sideeffects"),
    ],
)
def test_the_real_model_reads(real_server: EmbeddedLLM, text: str, label: str) -> None:
    with OpenAI(api_key=real_server.api_key, base_url=real_server.base_url) as client:
        outcome = ask(client, STOP_REASONS, embedded(real_server.model), "hash", text, Budget(None))
    assert outcome.values is not None
    assert outcome.values["stop_reason"] == label
    assert str(outcome.values["evidence"]) in text


@pytest.mark.llm
def test_the_real_model_reads_its_instructions_once(real_server: EmbeddedLLM) -> None:
    with OpenAI(api_key=real_server.api_key, base_url=real_server.base_url) as client:
        for text in ("The first text", "A second text"):
            outcome = ask(client, STOP_REASONS, embedded(real_server.model), "hash", text, Budget(None))
    (call,) = outcome.calls
    assert call.prompt_tokens is not None
    assert call.cached_tokens is not None
    assert call.cached_tokens > 0.95 * call.prompt_tokens
