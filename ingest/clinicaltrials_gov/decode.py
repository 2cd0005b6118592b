"""Bytes of an API answer to Python values that orjson and Postgres' jsonb can hold, one study at a time.

A page of 1,000 studies is 25-35 MB of JSON; parsed at once it becomes 150-200 MB of objects and takes five times as
long as parsing its studies one by one, which reuse the same small blocks of memory.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

_STUDY_START = re.compile(rb'\{"protocolSection":')
_BETWEEN = b", \r\n\t"
_INT64 = range(-(2**63), 2**64)


class BadBody(Exception):
    """An answer that is not the JSON it should be: truncated, or something else altogether."""


@dataclass
class Body:
    """One page of `/studies`: its bytes, where its studies begin and the last one ends, and what surrounds them."""

    data: bytes | bytearray
    envelope: dict[str, Any]
    bounds: list[int]

    @property
    def size(self) -> int:
        """Bytes of JSON."""
        return len(self.data)

    @property
    def next_token(self) -> str | None:
        return self.envelope.get("nextPageToken") or None

    @property
    def total(self) -> int | None:
        total = self.envelope.get("totalCount")
        return total if isinstance(total, int) else None

    def studies(self) -> Iterator[Any]:
        """The page's studies in order, each parsed when its turn comes. Raises BadBody."""
        yield from self.envelope["studies"]
        done = len(self.envelope["studies"])
        try:
            for index in range(len(self.bounds) - 1):
                elements = self.elements(index)
                yield from elements
                done += len(elements)
        except BadBody:  # a study holds the key that should start one: parse the page whole
            yield from _checked(decode(self.data))["studies"][done:]

    def elements(self, index: int) -> list[Any]:
        """The study at `bounds[index]`, and whatever elements follow it that are no study. Raises BadBody."""
        start, end = self.bounds[index : index + 2]
        elements: list[Any] = decode(b"[" + self.data[start:end].rstrip(_BETWEEN) + b"]")
        return elements


def read_page(data: bytes | bytearray) -> Body:
    """Split a page into its studies without parsing them. Raises BadBody where the page is no such page."""
    starts = [match.start() for match in _STUDY_START.finditer(data)]
    end = data.rfind(b"]")
    if starts and end > starts[-1]:
        try:
            envelope = _checked(orjson.loads(data[: starts[0]].rstrip(_BETWEEN) + data[end:]))
            body = Body(data, envelope, [*starts, end])
            body.elements(len(starts) - 1)  # a page cut short can look whole around its studies
            return body
        except (orjson.JSONDecodeError, BadBody):
            pass  # laid out in another way than the API does: parse it whole
    return Body(data, _checked(decode(data)), [])


def _checked(envelope: Any) -> dict[str, Any]:
    if isinstance(envelope, dict) and isinstance(envelope.get("studies"), list):
        return envelope
    raise BadBody('not an object with a list of "studies"')


def decode(data: bytes | bytearray) -> Any:
    """Parse JSON; lone surrogates, bad UTF-8, NaN and numbers beyond a double are made safe. Raises BadBody."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _decode_leniently(bytes(data))


def _decode_leniently(data: bytes) -> Any:
    try:
        value = json.loads(
            data.decode("utf-8", "replace"),
            parse_int=_parse_int,
            parse_float=_parse_float,
            parse_constant=str,
        )
        return map_text(value, _without_lone_surrogates)
    except (ValueError, RecursionError) as error:
        raise BadBody(f"not JSON: {error}") from None


def _parse_int(digits: str) -> int | float | str:
    if len(digits) <= 20 and (number := int(digits)) in _INT64:
        return number
    return _parse_float(digits)


def _parse_float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _without_lone_surrogates(text: str) -> str:
    """Join surrogate pairs that were escaped one by one and put U+FFFD in place of single ones."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def map_text(value: Any, change: Any) -> Any:
    """A copy of a JSON value with `change` applied to every string and key."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        # Sorted, so that of two keys which become one the same wins whatever their order was.
        return {change(key): map_text(item, change) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [map_text(item, change) for item in value]
    return value
