"""Whether a study matches an Essie expression."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.sandbox.api import essie
from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.fields import AREAS, Place, locate, modules_of, values

Study = dict[str, Any]
Predicate = Callable[[Study], bool]
_WORD = re.compile(r"\w+", re.UNICODE)
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(year|month|week|day|hour|minute)s?", re.IGNORECASE)
_MINUTES = {"year": 525_960, "month": 43_830, "week": 10_080, "day": 1_440, "hour": 60, "minute": 1}


class Matcher(NamedTuple):
    """A predicate and the modules of a study that it reads (None: all)."""

    matches: Predicate
    modules: frozenset[str]


def matcher(node: essie.Node) -> Matcher:
    """The predicate of a parsed expression. Raises BadRequest for bounds that the field's kind cannot have."""
    if isinstance(node, essie.Everything):
        return Matcher(lambda study: True, frozenset())
    if isinstance(node, essie.Not):
        part = matcher(node.part)
        return Matcher(lambda study: not part.matches(study), part.modules)
    if isinstance(node, essie.And | essie.Or):
        parts = [matcher(part) for part in node.parts]
        tests, every = [part.matches for part in parts], isinstance(node, essie.And)
        modules = frozenset().union(*(part.modules for part in parts))
        return Matcher(lambda study: (all if every else any)(test(study) for test in tests), modules)
    return _leaf(node)


def _leaf(node: essie.Term | essie.Range | essie.Missing) -> Matcher:
    name = node.area or "BasicSearch"
    sized = name.endswith(":size")
    places = locate(name.removesuffix(":size")) or []
    if sized:
        test = _size_test(node)
        return Matcher(
            lambda study: test(sum(1 for place in places for _ in values(study, place.path))), modules_of(places)
        )
    if isinstance(node, essie.Missing):
        return Matcher(lambda study: not any(True for p in places for _ in values(study, p.path)), modules_of(places))
    tests = [(place.path, _value_test(node, place, name)) for place in places]
    return Matcher(
        lambda study: any(test(value) for path, test in tests for value in values(study, path)), modules_of(places)
    )


def _value_test(node: essie.Term | essie.Range, place: Place, name: str) -> Callable[[Any], bool]:
    if isinstance(node, essie.Range):
        return _range_test(node, place.kind)
    if place.kind == "date" and name not in AREAS:
        start = _date(node.words)
        return lambda value: isinstance(value, str) and value.startswith(start)
    if place.kind == "age":
        age = _minutes(node.words)
        return lambda value: _minutes(value) == age
    wanted = _words(node.words)
    return lambda value: _contains(_words(str(value)), wanted)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _contains(words: list[str], phrase: list[str]) -> bool:
    """Whether the phrase's words stand in `words`, in order and side by side."""
    if not phrase:
        return False
    size = len(phrase)
    return any(words[k : k + size] == phrase for k in range(len(words) - size + 1))


def _range_test(node: essie.Range, kind: str) -> Callable[[Any], bool]:
    convert = {"date": _day, "age": _minutes, "number": _number}.get(kind, _text)
    low, high = (None if bound is None else convert(bound) for bound in (node.low, node.high))
    if (low is None and node.low is not None) or (high is None and node.high is not None):
        raise BadRequest(f"Invalid RANGE[{node.low or 'MIN'}, {node.high or 'MAX'}] for area `{node.area}`")
    if kind == "date" and node.high:
        high = _last_day(_date(node.high))

    def test(value: Any) -> bool:
        found = convert(value)
        return found is not None and (low is None or found >= low) and (high is None or found <= high)

    return test


def _size_test(node: essie.Term | essie.Range | essie.Missing) -> Callable[[int], bool]:
    if isinstance(node, essie.Term):
        return lambda size: str(size) == node.words
    if isinstance(node, essie.Missing):
        return lambda size: size == 0
    return _range_test(node, "number")


def _text(value: Any) -> Any:
    return str(value).lower()


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _minutes(value: Any) -> Any:
    match = _AGE.fullmatch(str(value).strip())
    return float(match[1]) * _MINUTES[match[2].lower()] if match else None


def _date(text: str) -> str:
    """`MM/DD/YYYY`, which the registry also takes, as `YYYY-MM-DD`; anything else as it is."""
    match = _US_DATE.fullmatch(text)
    return f"{match[3]}-{int(match[1]):02d}-{int(match[2]):02d}" if match else text


def _day(value: Any) -> Any:
    """A date, maybe of a month or year only, as its first day; None for what is no date."""
    text = _date(str(value))[:10]
    return (text + "-01-01"[len(text) - 4 :])[:10] if _ISO_DATE.fullmatch(text) else None


def _last_day(text: str) -> str:
    return (text + "-12-31"[len(text) - 4 :])[:10]


def day_bounds(node: essie.Node, area: str) -> tuple[str | None, str | None, essie.Node | None] | None:
    """The first and last day that an expression allows in a date area, and what is left of it to be tested.

    Only a range on the area that stands alone or as a part of an AND can be answered from an index; None otherwise.
    """
    parts = node.parts if isinstance(node, essie.And) else (node,)
    for position, part in enumerate(parts):
        if isinstance(part, essie.Range) and part.area is not None and part.area.lower() == area.lower():
            _range_test(part, "date")
            rest = parts[:position] + parts[position + 1 :]
            left = None if not rest else rest[0] if len(rest) == 1 else essie.And(rest)
            return (_day(part.low) if part.low else None, _last_day(_date(part.high)) if part.high else None, left)
    return None
