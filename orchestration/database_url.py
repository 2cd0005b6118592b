"""What is said to the server with the URL: the role that a connection acts as, the schema that it looks in."""

import re

from sqlalchemy.engine import make_url

# Between two options. SQLAlchemy and dlt write a space as `+`, which libpq takes literally; a tab survives all three.
_BETWEEN = "\t"


def with_option(url: str, name: str, value: str) -> str:
    """The URL with one more setting of the session, in libpq's `options`, which every client passes on."""
    parsed = make_url(url)
    before = parsed.query.get("options", "")
    earlier = before if isinstance(before, str) else _BETWEEN.join(before)
    options = [*re.split(r"(?<!\\)\s+", earlier), f"-c{name}={value}"]
    joined = _BETWEEN.join(filter(None, options))
    return parsed.update_query_dict({"options": joined}).render_as_string(hide_password=False)
