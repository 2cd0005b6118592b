"""The brief for real: asked of a warehouse, drawn by Node through Dagster Pipes, and where it cannot be."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult, PipesSubprocessClient, materialize

from orchestration.assets.reports import brief, brief_tables
from orchestration.commands.refresh_report import Outcome, note
from orchestration.reports import brief as nightly
from orchestration.reports import node, pages
from orchestration.reports.node import RendererMissing, command
from orchestration.reports.render import RenderFailed
from orchestration.reports.sections import SECTIONS
from orchestration.resources.tables import ParquetTables
from orchestration.resources.warehouse import WarehouseResource

Run = Callable[..., ExecuteInProcessResult]


@pytest.fixture
def _node(own_settings: None) -> None:
    try:
        command()
    except RendererMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def run(tmp_path: Path, instance: DagsterInstance) -> Run:
    """Materialize the brief and its tables, or what is selected of them, from the warehouse at a URL."""

    def materialized(url: str, **options: Any) -> ExecuteInProcessResult:
        resources = {
            "warehouse": WarehouseResource(url=url),
            "tables": ParquetTables(folder=str(tmp_path / "tables")),
            "pipes": PipesSubprocessClient(),
        }
        return materialize([brief_tables, brief], resources=resources, instance=instance, **options)

    return materialized


def about(result: ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("reports__brief")
    return {name: value.value for name, value in event.metadata.items()}


class Page(HTMLParser):
    """What a page holds, and whatever it would fetch."""

    FETCHING = frozenset({"src", "srcset", "data", "poster", "background", "action", "xlink:href", "style"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.fetched: list[str] = []
        self.feed(html)
        self.fetched += re.findall(r"@import[^;]*|url\((?!#)[^)]*\)", html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag in ("script", "link", "img", "image", "iframe", "object", "embed", "base", "use"):
            self.fetched.append(tag)
        self.fetched += [f"{tag} {name}={value}" for name, value in attributes if name in self.FETCHING]

    def count(self, tag: str, part_of_class: str) -> int:
        return sum(name == tag and part_of_class in (about.get("class") or "") for name, about in self.tags)


@pytest.mark.integration
@pytest.mark.usefixtures("_node")
def test_the_page_stands_by_itself_with_a_drawing_for_each_chart(filled_warehouse_url: str, run: Run) -> None:
    result = run(filled_warehouse_url)
    told = about(result)
    html = Path(told["page"]).read_text()
    page = Page(html)
    assert page.fetched == []
    assert page.count("svg", "wide") == page.count("svg", "narrow") == told["charts"] > 2
    assert [about["id"] for tag, about in page.tags if tag == "section"] == [section.name for section in SECTIONS]
    ids = [about["id"] for _, about in page.tags if about.get("id")]
    assert len(ids) == len(set(ids))
    assert Path(told["latest"]).read_text() == html
    assert told["latest"] == str(pages.latest("brief"))
    assert html.count("<h1") == 1
    assert len(html) < 400_000


@pytest.mark.integration
@pytest.mark.usefixtures("_node")
def test_dagster_gets_the_picture_the_log_and_the_tables_metadata(
    filled_warehouse_url: str, run: Run, instance: DagsterInstance
) -> None:
    result = run(filled_warehouse_url)
    told = about(result)
    assert re.match(r"!\[Nightly brief, .*\]\(data:image/png;base64,iVBOR", told["picture"])
    assert len(told["picture"]) < 300_000
    assert told["picture_bytes"] == Path(told["page"]).with_suffix(".png").stat().st_size
    tables = result.asset_materializations_for_node("brief_tables")
    assert len(tables) == len(SECTIONS) + 1
    assert all({"dagster/row_count", "dagster/column_schema", "preview"} <= set(table.metadata) for table in tables)
    logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any(re.search(r"drew \d+ charts", line) for line in logged), logged
    assert not [line for line in logged if "section " in line], "Vega has no doubt about any chart"


@pytest.mark.integration
@pytest.mark.usefixtures("_node")
def test_a_warehouse_without_marts_still_has_a_page(warehouse_url: str, run: Run) -> None:
    told = about(run(warehouse_url))
    html = Path(told["page"]).read_text()
    assert told["charts"] == 0
    assert html.count('class="empty"') == len(SECTIONS)
    assert "analytics.fct_sponsor_moves" in html


@pytest.mark.integration
@pytest.mark.usefixtures("_node")
def test_one_section_can_be_asked_alone(filled_warehouse_url: str, run: Run) -> None:
    result = run(filled_warehouse_url, selection=[AssetKey(["reports", "enrollment_velocity"])])
    assert len(result.asset_materializations_for_node("brief_tables")) == 1


@pytest.mark.integration
@pytest.mark.usefixtures("_node")
def test_what_javascript_throws_is_the_run_s_error_with_its_stack(
    filled_warehouse_url: str, run: Run, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = next(one for one in SECTIONS if one.name == "enrollment_velocity")
    monkeypatch.setattr(nightly, "SECTIONS", [replace(section, chart={"mark": "no such mark"})])
    with pytest.raises(RenderFailed, match="the chart of section enrollment_velocity cannot be drawn") as failed:
        run(filled_warehouse_url)
    assert "because of TypeError: " in str(failed.value)
    (record,) = instance.get_runs()
    events = [entry.dagster_event for entry in instance.all_logs(record.run_id) if entry.dagster_event]
    errors = [event.engine_event_data.error for event in events if event.is_engine_event]
    assert any("src/chart.ts" in "".join(error.stack) for error in errors if error)
    assert pages.latest("brief") is None


@pytest.mark.integration
def test_without_node_the_brief_is_skipped_in_one_line(
    warehouse_url: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_settings: None
) -> None:
    monkeypatch.setattr(node, "RENDERER", tmp_path)
    result = run(warehouse_url)
    assert result.success
    assert not result.asset_materializations_for_node("reports__brief")
    outcome = Outcome()
    for event in result.all_events:
        outcome.add(event)
    assert note("reports__brief", outcome).startswith("skipped: ")
    assert pages.latest("brief") is None


def test_the_renderer_s_own_tests(own_settings: None) -> None:
    try:
        program, _ = command()
    except RendererMissing as missing:
        pytest.skip(str(missing))
    tests = sorted(str(file) for file in (node.RENDERER / "test").glob("*.test.ts"))
    done = subprocess.run([program, "--test", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"pass (\d+)", done.stdout)[-1]) >= 15
