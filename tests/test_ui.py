"""The Dagster UI in a browser: lineage from the registry to the brief, a run launched and watched, its checks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import free_port

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.integration
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
READY_WITHIN_SECONDS = 90
MILLISECONDS = 90_000
GRAPH = "{ assetNodes { assetKey { path } dependencyKeys { path } isMaterializable } }"
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"


class Ui:
    """`bioloupe ui` of a test's own."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str) -> Any:
        """The data that GraphQL answers."""
        request = Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def is_ready(self) -> bool:
        try:
            return bool(self.ask(GRAPH)["assetNodes"])
        except (URLError, OSError):
            return False


@pytest.fixture
def ui(filled_warehouse_url: str, warehouse_url: str, tmp_path: Path) -> Iterator[Ui]:
    """The UI on a filled warehouse, with an empty database of Dagster's own."""
    port, log = free_port(), tmp_path / "ui.log"
    names = ("BIOLOUPE_", "OPENAI_", "DAGSTER_", "CTGOV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    environment |= {
        "BIOLOUPE_HOME": str(tmp_path),
        "BIOLOUPE_ENV": "ci",
        "DATABASE_URL": filled_warehouse_url,
        "DAGSTER_DATABASE_URL": warehouse_url,
    }
    command = [sys.executable, "-m", "orchestration", "ui", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    found = Ui(port)
    until = time.monotonic() + READY_WITHIN_SECONDS
    while not found.is_ready():
        assert server.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.2)
    yield found
    os.killpg(server.pid, signal.SIGINT)
    server.wait(timeout=60)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        shown = browser.new_page(viewport={"width": 2400, "height": 1600})
        shown.set_default_timeout(MILLISECONDS)
        yield shown
        browser.close()


def test_lineage_is_one_graph_and_a_run_can_be_launched_and_watched(ui: Ui, page: Any) -> None:
    nodes = {tuple(n["assetKey"]["path"]): n for n in ui.ask(GRAPH)["assetNodes"]}
    reached = {("clinicaltrials_gov", "api")}
    for _ in nodes:
        reached |= {key for key, n in nodes.items() if reached & {tuple(d["path"]) for d in n["dependencyKeys"]}}
    assert reached == set(nodes)

    page.goto(f"{ui.url}/assets/reports/brief?view=lineage&lineageScope=upstream&lineageDepth=10")
    for name in ("api", "studies", "stop_reasons", "fct_trial_changes", "brief"):
        page.locator("foreignObject").get_by_text(name, exact=True).first.wait_for()

    page.goto(f"{ui.url}/assets/analytics/dim_trial_areas")
    page.locator("button", has_text="Materialize").first.click()
    # Nothing upstream was made by this instance of Dagster, so it asks.
    page.locator("button", has_text="Confirm").click()
    until = time.monotonic() + READY_WITHIN_SECONDS
    while (status := [run["status"] for run in ui.ask(RUNS)["runsOrError"]["results"]]) != ["SUCCESS"]:
        assert status != ["FAILURE"]
        assert time.monotonic() < until, status
        time.sleep(0.5)
    page.goto(f"{ui.url}/runs")
    page.get_by_text("Success", exact=True).first.wait_for()

    page.goto(f"{ui.url}/assets/analytics/dim_trial_areas?view=checks")
    page.get_by_text("Passed", exact=True).or_(page.get_by_text("Succeeded", exact=True)).first.wait_for()
