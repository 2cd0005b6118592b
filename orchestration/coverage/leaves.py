"""The leaves of a ClinicalTrials.gov record that this project knows: `leaves.csv`, from the registry's data structure.

A path has `[]` after what is a list. The last rows are of fields that the registry's own documents do not name.
"""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("leaves.csv")
TREE = "tree"


class Leaf(NamedTuple):
    """A value of a record. `kind`: text, number, age, boolean, date, or `tree` for all that is below the path."""

    path: str
    kind: str
    why_not_staged: str

    @property
    def names(self) -> list[str]:
        """The keys that lead to it, without marks of lists."""
        return self.path.replace("[]", "").split(".")


@cache
def leaves() -> list[Leaf]:
    with _FILE.open(newline="") as file:
        return [Leaf(row["path"], row["kind"], row["why_not_staged"]) for row in csv.DictReader(file)]


def known_keys(known: Iterable[Leaf]) -> dict[str, set[str]]:
    """Dotted path of each object → the keys that it may have; below a tree anything may be."""
    keys: dict[str, set[str]] = {}
    for leaf in known:
        for depth, name in enumerate(leaf.names):
            keys.setdefault(".".join(leaf.names[:depth]), set()).add(name)
    return keys
