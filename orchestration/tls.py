"""Whether a database URL asks for a connection that nobody can read or redirect."""

import ipaddress
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Level = Literal["verify-full", "require", "off"]
# What libpq does for each `sslmode`; the modes before `require` fall back to plain text without a word.
_ENOUGH = {"verify-full": {"verify-full"}, "require": {"require", "verify-ca", "verify-full"}}


def shortcoming(url: str, level: Level) -> str | None:
    """What `url` lacks to be as safe as `level` demands, with the remedy; None where nothing is missing.

    A server on this machine needs no encryption: a socket, or a loopback address.
    """
    if level == "off":
        return None
    try:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        hosts = (query.get("host") or parts.hostname or "").split(",")
    except ValueError:
        return None  # not a URL at all, which is said where it is used
    mode = query.get("sslmode", "prefer")
    if all(map(_is_here, hosts)) or mode in _ENOUGH[level]:
        return None
    wanted = "sslmode=verify-full&sslrootcert=/path/of/ca.pem" if level == "verify-full" else "sslmode=require"
    return (
        f"the connection to {', '.join(hosts)} has sslmode={mode}, and BIOLOUPE_DB_TLS asks for {level}: "
        f"add ?{wanted} to the URL, or set BIOLOUPE_DB_TLS"
    )


def _is_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
