"""Database URLs: whether one is what it seems to be, what is said to the server with it, and what to nobody else."""

import re

# As libpq reads it: what follows a stray @ or / would be taken for a host or a database, and be told in errors.
_SHAPE = re.compile(r"postgres(ql)?(\+\w+)?://([^@/]*@)?[^@/?]*(/[^/@?]*)?(\?.*)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PASSWORD_OPTION = re.compile(r"[?&](ssl)?password=")
# Between two options. SQLAlchemy and dlt write a space as `+`, which libpq takes literally; a tab survives all three.
_BETWEEN = "\t"
_IN_AUTHORITY = re.compile(r"^([^:/]+://[^:@/?#]*):[^@/?#]*@")
_IN_QUERY = re.compile(r"(?<=[?&])password=[^&]*&?")
FORM = (
    "must look like postgresql://user:password@host:5432/database, "
    "with what is odd in the password percent-encoded: @ as %40, / as %2F, % as %25"
)


def is_well_formed(url: str) -> bool:
    """Whether every client will read the URL alike, and find the password where the password belongs."""
    return bool(_SHAPE.fullmatch(url)) and not _BAD_ESCAPE.search(url) and not _PASSWORD_OPTION.search(url)


def with_option(url: str, name: str, value: str) -> str:
    """The URL with one more setting of the session, in libpq's `options`, which every client passes on."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    before = parsed.query.get("options", "")
    earlier = before if isinstance(before, str) else _BETWEEN.join(before)
    options = [*re.split(r"(?<!\\)\s+", earlier), f"-c{name}={value}"]
    joined = _BETWEEN.join(filter(None, options))
    return parsed.update_query_dict({"options": joined}).render_as_string(hide_password=False)


def password_apart(url: str) -> tuple[str, str | None]:
    """The URL without its password, letter by letter the same otherwise, and the password, for PGPASSWORD.

    For programs: their arguments are seen by every user of a machine.
    """
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    found = parsed.password or parsed.query.get("password")
    bare = _IN_QUERY.sub("", _IN_AUTHORITY.sub(r"\1@", url)).rstrip("?&")
    return bare, str(found) if found else None
