"""When dbt's manifest is parsed anew."""

import os
import time
from pathlib import Path

import pytest

from orchestration import project


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    file = tmp_path / "manifest.json"
    file.write_text("{}")
    project._parsed_for(file).write_text("bioloupe")
    return file


def test_a_manifest_as_new_as_the_project_is_kept(manifest: Path) -> None:
    assert project._is_fresh(manifest)


def test_a_changed_file_makes_it_stale(manifest: Path) -> None:
    before = time.time() - 10 * 365 * 86_400
    os.utime(manifest, (before, before))
    assert not project._is_fresh(manifest)


def test_another_database_makes_it_stale(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@host/other")
    assert not project._is_fresh(manifest)


def test_one_that_nobody_parsed_is_stale(tmp_path: Path) -> None:
    assert not project._is_fresh(tmp_path / "manifest.json")
