"""The page that says of every leaf of a record where it is staged, or why it is not."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from orchestration.coverage.leaves import Leaf, leaves
from orchestration.coverage.probe import reached
from orchestration.runtime import DBT_PROJECT_DIR
from orchestration.warehouse import connect

PAGE = DBT_PROJECT_DIR / "models" / "staging" / "ctgov" / "COVERAGE.md"
_HEAD = """# Where the registry's fields are staged

Written by `python -m orchestration.coverage`, which changes one field of a record at a time and looks which columns
of `ctgov` change with it. A table without a column: rows of it come and go with the field. `[]` marks lists.
"""


def coverage(url: str, manifest: Path) -> dict[Leaf, list[str]]:
    """What each leaf reaches, by the SQL in the manifest of a `dbt compile --full-refresh`.

    `url`: any database of the server; only temporary tables are written.
    """
    content = json.loads(manifest.read_text())
    source = content["sources"]["source.bioloupe.raw_ctgov.studies"]["relation_name"]
    models = {
        node["alias"]: node["compiled_code"]
        for node in content["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("stg_ctgov__")
    }
    with closing(connect(url)) as connection:
        return reached(connection, dict(sorted(models.items())), source)


def page(found: Mapping[Leaf, list[str]]) -> str:
    """The page as Markdown, a table for each module of the record."""
    staged = sum(1 for columns in found.values() if columns)
    reasons = sum(1 for leaf in leaves() if leaf.why_not_staged)
    parts = [f"{_HEAD}\n{len(leaves())} fields: {staged} staged, {reasons} not, with the reason."]
    modules: dict[str, list[Leaf]] = {}
    for leaf in leaves():
        modules.setdefault(_module(leaf), []).append(leaf)
    for module, group in modules.items():
        rows = [f"| `{leaf.path.removeprefix(module + '.')}` | {_where(leaf, found.get(leaf, []))} |" for leaf in group]
        parts.append("\n".join([f"## {module}", "", "| Field | Staged in |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def uncovered(found: Mapping[Leaf, list[str]]) -> list[str]:
    """Leaves that are neither staged nor have a reason, and those that have both."""
    return [leaf.path for leaf in leaves() if bool(found.get(leaf)) == bool(leaf.why_not_staged)]


def _module(leaf: Leaf) -> str:
    return ".".join(leaf.path.split(".")[:2]) if "." in leaf.path else leaf.path


def _where(leaf: Leaf, columns: list[str]) -> str:
    return leaf.why_not_staged or ", ".join(f"`{column}`" for column in columns)
