"""The studies that a request selects, in its order, and the pages of them."""

import base64
import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import orjson

from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.fields import locate, modules_of, values
from ingest.sandbox.api.matching import day_bounds, matcher
from ingest.sandbox.api.params import Sort, StudiesQuery, all_of
from ingest.sandbox.registry import Registry, days_since_epoch

Key = tuple[int, int]
_LAST = 1 << 40
_CHANGED_BY = "LastUpdatePostDate"
_FIRST_POSTED = "StudyFirstPostDate"
# Made when it is first asked for, since every study must be looked at; a registry never changes.
_posted: WeakKeyDictionary[Registry, dict[int, int]] = WeakKeyDictionary()


class Selection(NamedTuple):
    """Study indices in the order of the request, and the key (sort value, index) that this order follows."""

    studies: Sequence[int]
    key: Callable[[int], Key]

    def after(self, key: Key) -> int:
        """The position behind all studies up to this key: where a page goes on, even if a night has passed since."""
        return bisect_right(self.studies, key, key=self.key)


def select(registry: Registry, query: StudiesQuery) -> Selection:
    """All studies that match. A range of days is looked up; anything else is tested study by study."""
    condition = all_of(query.conditions)
    bounds = day_bounds(condition, _CHANGED_BY) if condition else None
    by_date = bounds is not None or query.sort.name == _CHANGED_BY
    studies = registry.by_update if by_date else registry.by_index
    if bounds:
        low, high, condition = bounds
        studies = _between(registry, days_since_epoch(low) or 1, days_since_epoch(high) if high else None)
    elif condition and (first := day_bounds(condition, _FIRST_POSTED)):
        low, high, condition = first
        studies = _posted_between(registry, studies, days_since_epoch(low) or 1, days_since_epoch(high) or _LAST)
    if query.ids is not None:
        wanted = {index for nct in query.ids if (index := registry.find(nct)) is not None}
        studies = array("I", (index for index in studies if index in wanted))
    if condition is not None:
        test = matcher(condition)
        studies = array("I", (i for i in studies if test.matches(registry.study(i, test.modules))))
    return _ordered(registry, studies, by_date, query.sort)


def _between(registry: Registry, low: int, high: int | None) -> Sequence[int]:
    def day(index: int) -> int:
        return registry.date(index) or _LAST

    order = registry.by_update
    start = bisect_left(order, low, key=day)
    return order[start : bisect_right(order, _LAST - 1 if high is None else high, key=day)]


def _posted_between(registry: Registry, studies: Sequence[int], low: int, high: int) -> Sequence[int]:
    """Those of the studies that were first posted in these days, in their order; without a date they never are."""
    days = _posted.get(registry)
    if days is None:
        place = (locate(_FIRST_POSTED) or [])[0]
        modules = modules_of([place])
        found = ((i, next(values(registry.study(i, modules), place.path), None)) for i in registry.by_index)
        days = _posted[registry] = {index: day for index, text in found if (day := days_since_epoch(text))}
    return array("I", (index for index in studies if low <= days.get(index, 0) <= high))


def _ordered(registry: Registry, studies: Sequence[int], by_date: bool, sort: Sort) -> Selection:
    """The studies, which come by date or else by index, in the order that is asked for."""
    sign = -1 if sort.descending else 1
    value_of = _sort_value(registry, sort)

    def key(index: int) -> Key:
        value = value_of(index)
        return (_LAST if value is None else sign * value, sign * index)

    if sort.name not in ("", _CHANGED_BY):
        return Selection(array("I", sorted(studies, key=key)), key)
    if by_date and sort.name == "":
        studies = array("I", sorted(studies))
    if sort.descending:
        undated = bisect_left(studies, (_LAST, 0), key=lambda i: (value_of(i) or _LAST, 0)) if by_date else len(studies)
        studies = array("I", studies[:undated][::-1]) + array("I", studies[undated:][::-1])
    return Selection(studies, key)


def _sort_value(registry: Registry, sort: Sort) -> Callable[[int], int | None]:
    """What a study is sorted by: the day or the first number in a field, None if it has none."""
    if sort.name == "":
        return lambda index: 0
    if sort.name == _CHANGED_BY:
        return lambda index: registry.date(index) or None
    place = (locate(sort.name) or [])[0]
    modules = modules_of([place])

    def value_of(index: int) -> int | None:
        found = next(values(registry.study(index, modules), place.path), None)
        return days_since_epoch(found) if place.kind == "date" else found if isinstance(found, int) else None

    return value_of


class Token(NamedTuple):
    """Where a crawl is: behind `key`. `empty`: the page that gave it had no studies on purpose."""

    key: Key
    empty: bool

    def encode(self, query: StudiesQuery) -> str:
        content = orjson.dumps([_digest(query), *self.key, int(self.empty)])
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, query: StudiesQuery) -> "Token":
        """Raises BadRequest for what is no token, or is one of a request with other parameters."""
        try:
            digest, value, index, empty = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            token = cls((int(value), int(index)), bool(empty))
        except (ValueError, TypeError):
            raise BadRequest("Incorrect format for `pageToken`") from None
        if digest != _digest(query):
            raise BadRequest(
                "`pageToken` does not belong to these parameters: only countTotal, pageSize and pageToken may change"
            )
        return token


def _digest(query: StudiesQuery) -> str:
    return hashlib.sha256(orjson.dumps(query.fingerprint)).hexdigest()[:12]
