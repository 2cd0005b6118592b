"""The dbt project as Dagster sees it, and its manifest: prepared once, never inside a step."""

import os
import shutil
import sys
from pathlib import Path

from dagster_dbt import DbtProject
from filelock import FileLock
from sqlalchemy.engine import make_url

from orchestration.runtime import DBT_PROJECT_DIR, target_path
from orchestration.settings import PROJECT_ROOT, settings
from orchestration.warehouse import DATABASE

GENERATED = {"target", "logs"}


def dbt_project() -> DbtProject:
    """The project with the target that BIOLOUPE_ENV names.

    Its manifest is parsed anew only when a file has changed, or what stands in every relation: the database, and in a
    branch deployment the branch. Branches have target directories of their own, so that none takes another's away.
    """
    _put_dbt_on_path()
    config = settings()
    target = target_path(config.branch)
    project = DbtProject(DBT_PROJECT_DIR, profiles_dir=PROJECT_ROOT, target=config.env, target_path=target)
    if not _is_fresh(project.manifest_path):
        project.manifest_path.parent.mkdir(parents=True, exist_ok=True)
        # Web server, daemon and run workers may all load the definitions at once: one of them parses.
        with FileLock(project.manifest_path.with_suffix(".lock")):
            if not _is_fresh(project.manifest_path):
                project.preparer.prepare(project)
                _parsed_for(project.manifest_path).write_text(_place())
                project.manifest_path.touch()
    return project


def _put_dbt_on_path() -> None:
    """dagster-dbt starts the command `dbt`, which an environment that is not activated hides."""
    if shutil.which("dbt") is None:
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _is_fresh(manifest: Path) -> bool:
    parsed_for = _parsed_for(manifest)
    if not (manifest.exists() and parsed_for.exists() and parsed_for.read_text() == _place()):
        return False
    return manifest.stat().st_mtime >= max(f.stat().st_mtime for f in _source_files())


def _parsed_for(manifest: Path) -> Path:
    return manifest.with_suffix(".database")


def _place() -> str:
    """Where dbt will build, as far as relations' names tell: the database and the branch."""
    url, branch = os.environ.get("DATABASE_URL"), settings().branch
    database = (make_url(url).database if url else None) or DATABASE
    return f"{database} {branch}" if branch else database


def _source_files() -> list[Path]:
    inside = [f for f in DBT_PROJECT_DIR.rglob("*") if f.relative_to(DBT_PROJECT_DIR).parts[0] not in GENERATED]
    return [*inside, PROJECT_ROOT / "profiles.yml"]
