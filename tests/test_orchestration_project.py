"""When dbt's manifest is parsed anew."""

import os
import time
from pathlib import Path

import pytest

from orchestration import project
from orchestration.runtime import target_path


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


@pytest.mark.usefixtures("own_settings")
def test_each_branch_has_its_own(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOLOUPE_ENV", "staging")
    monkeypatch.setenv("BIOLOUPE_BRANCH", "fix_1")
    assert not project._is_fresh(manifest)
    assert target_path("fix_1") != target_path("fix_2") != target_path(None)
