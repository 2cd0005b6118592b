"""The export as a graph asset: its ops, their retries, what Dagster is told, and what a failing op leaves."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, RetryPolicy, materialize
from rich.console import Console

from orchestration.assets.export import EXPORT, export_files
from orchestration.commands import export_view
from orchestration.export.errors import ExportInterrupted
from orchestration.export.manifest import read_manifest
from orchestration.export.session import Export
from orchestration.resources.export import ExportResource

pytestmark = pytest.mark.integration
STEPS = ["begin", "write_dump", "write_flat_files", "write_parquet", "check", "publish"]
OPS = ["take_snapshot", "write_dump", "write_flat_files", "write_parquet", "check_files", "publish_files"]


@pytest.fixture(autouse=True)
def _settings(own_settings: None) -> None:
    """No settings of whoever runs this."""


def run(url: str, **config: Any) -> ExecuteInProcessResult:
    ops = {"ops": {"take_snapshot": {"config": config}}}
    return materialize(
        [export_files],
        resources={"export": ExportResource(url=url)},
        run_config={"ops": {EXPORT.to_python_identifier(): ops}},
        instance=DagsterInstance.ephemeral(),
        raise_on_error=False,
    )


def small(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"to": str(tmp_path / "to"), "tables": ["studies"], **more}


def messages(result: ExecuteInProcessResult) -> str:
    return " ".join(str(event.event_specific_data) for event in result.all_events if event.is_failure)


def test_it_publishes_every_table_and_tells_dagster(filled_warehouse_url: str, tmp_path: Path) -> None:
    result = run(filled_warehouse_url)
    assert result.success
    (found,) = result.asset_materializations_for_node(EXPORT.to_python_identifier())
    about = {name: value.value for name, value in found.metadata.items()}
    assert about["path"] == str((tmp_path / "exports" / "latest").resolve())
    manifest = read_manifest(Path(about["path"]))
    assert about["dagster/row_count"] == sum(manifest.rows.values()) > 1_000
    assert manifest.run_id == result.run_id
    assert f"| ctgov.studies | {manifest.rows['ctgov.studies']} |" in about["rows_per_table"]
    assert "| dump/bioloupe.dump |" in about["manifest"]


def test_the_dump_begins_before_anybody_can_wait_for_the_snapshot_s_locks(
    filled_warehouse_url: str, tmp_path: Path
) -> None:
    result = run(filled_warehouse_url, **small(tmp_path))
    started = [(e.step_key or "").split(".")[-1] for e in result.all_events if e.event_type_value == "STEP_START"]
    assert started[:2] == ["take_snapshot", "write_dump"]
    assert sorted(started) == sorted(OPS)


@pytest.mark.parametrize(("step", "op"), list(zip(STEPS, OPS, strict=True)))
def test_a_failure_at_any_op_leaves_latest_as_it_was(
    filled_warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, op: str
) -> None:
    assert run(filled_warehouse_url, **small(tmp_path, formats=["flat"])).success
    before = sorted(path.name for path in (tmp_path / "to").iterdir())
    # What a disk says that is full: nobody tries again.
    monkeypatch.setattr(Export, step, _failing(getattr(Export, step), OSError(28, "No space left on device"), 9))
    result = run(filled_warehouse_url, **small(tmp_path))
    assert not result.success
    assert result.get_step_failure_events()[0].step_key == f"reports__export.{op}"
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == before
    monkeypatch.undo()


def test_what_may_pass_is_tried_again_without_the_other_files(
    filled_warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = export_files.node_def.node_named("write_parquet").definition  # type: ignore[attr-defined]
    monkeypatch.setattr(node, "_retry_policy", RetryPolicy(max_retries=2))
    dumps: list[int] = []
    real = Export.write_dump
    monkeypatch.setattr(Export, "write_dump", lambda export, heard: (dumps.append(1), real(export, heard))[1])
    failing = _failing(Export.write_parquet, ExportInterrupted("the database went away"), 2)
    monkeypatch.setattr(Export, "write_parquet", failing)
    result = run(filled_warehouse_url, **small(tmp_path))
    assert result.success
    assert [e.step_key for e in result.all_events if e.is_step_up_for_retry] == ["reports__export.write_parquet"] * 2
    assert dumps == [1]


def test_what_cannot_work_fails_at_once_in_words(filled_warehouse_url: str, tmp_path: Path) -> None:
    for config, told in (
        ({"tables": ["studies"]}, "give --to with --tables"),
        (small(tmp_path, tables=["studie"]), "did you mean studies"),
        (small(tmp_path, formats=["paket"]), "choose among flat, parquet, dump"),
    ):
        result = run(filled_warehouse_url, **config)
        assert not [e for e in result.all_events if e.is_step_up_for_retry]
        assert told in messages(result)


def test_steps_alone_say_that_the_whole_must_run(filled_warehouse_url: str) -> None:
    from orchestration.export.errors import ExportError

    with pytest.raises(ExportError, match="Launch the job `export`"):
        _ = ExportResource(url=filled_warehouse_url).current


def test_the_terminal_sees_each_step_and_what_was_published(filled_warehouse_url: str, tmp_path: Path) -> None:
    buffer = io.StringIO()
    console = Console(file=buffer, width=110, highlight=False)
    outcome = export_view._follow(console, iter(run(filled_warehouse_url, **small(tmp_path)).all_events))
    assert outcome.succeeded
    path = Path(outcome.materialized["reports/export"]["path"])
    export_view._conclude(console, path, read_manifest(path), 1.0)
    text = buffer.getvalue()
    assert [name for name in export_view.STEPS.values() if f"{name.ljust(10)}  begins" not in text] == []
    assert "latest points to it" in text
    assert "bioloupe export verify" in text


def _failing(real: Callable[..., Any], error: Exception, times: int) -> Callable[..., Any]:
    """`real`, failing half-way the first `times` times: after its work, before anybody hears of it."""
    left = [times]

    def method(export: Export, *arguments: Any) -> Any:
        from orchestration.export.errors import explained

        if left[0]:
            left[0] -= 1
            with explained(export.options.directory):
                if real.__name__ != "publish":
                    real(export, *arguments)
                raise error
        return real(export, *arguments)

    return method
