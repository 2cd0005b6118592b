"""What a branch deployment is called: in Postgres, in dbt, on disk."""

import hashlib
import re

SEPARATOR = "__"
# `<slug>__intermediate` and longer neighbours stay within the 63 bytes of a Postgres name.
LONGEST = 40
_SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_DIGITS = 6


def slug(name: str) -> str:
    """The name of a branch, `feature/Phase-2`, as part of a schema's: `feature_phase_2`.

    Runs of other characters become one underscore, so no slug holds the separator `__`. One that is too long is cut,
    and a hash of the whole name keeps it apart from others. Raises ValueError where no letter is left.
    """
    words = re.findall(r"[a-z0-9]+", name.lower())
    found = "_".join(words)
    if not re.search("[a-z]", found):
        raise ValueError(f"the branch name {name!r} has no letter a-z: choose another")
    # Postgres keeps names that begin with pg_ for itself, and one that begins with a digit wants quotes.
    if not found[0].isalpha() or words[0] == "pg":
        found = f"b_{found}"
    if len(found) > LONGEST:
        digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
        found = f"{found[: LONGEST - _DIGITS - 1].rstrip('_')}_{digest}"
    return found


def is_slug(text: str) -> bool:
    """Whether `text` is what `slug` makes of it: safe in a schema's name, and never a shared schema's."""
    return len(text) <= LONGEST and _SLUG.fullmatch(text) is not None and not text.startswith("pg_")


def schema(branch: str, layer: str) -> str:
    """The schema of one layer of a branch: `feature_phase_2__ctgov`. Raises ValueError for what is no slug."""
    if not is_slug(branch):
        raise ValueError(f"{branch!r} is not the name of a branch deployment")
    return f"{branch}{SEPARATOR}{layer}"


def branch_of(schema_name: str) -> str | None:
    """The branch that a schema belongs to; None for one of the shared schemas, or anybody else's."""
    branch, separator, layer = schema_name.partition(SEPARATOR)
    return branch if separator and layer and is_slug(branch) else None
