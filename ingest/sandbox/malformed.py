"""Records as no registry should give them: a loader must put them aside, or load what is odd but legal."""

import re
from collections.abc import Callable, Collection
from heapq import nsmallest
from typing import Any

import orjson

from ingest.sandbox.draws import mix
from ingest.sandbox.registry import Registry

_STREAM = 301
_NCT = re.compile(rb'"nctId":"(NCT\d+)"')
_TITLE = re.compile(rb'"briefTitle":"')
# Legal JSON that many a database refuses: NUL, lone surrogates, other planes, no-width and right-to-left marks.
_ODD_TEXTS = (
    rb"\u0000 NUL in a title ",
    rb"\ud83d lone surrogate ",
    rb"\ude00\ud83d swapped surrogates ",
    "🧬 \u200b\u202e\ufeff\u2028 \U000e0001".encode(),
    rb"\u0001\u001f\u007f controls ",
)


def _without_id(record: bytes) -> bytes:
    return _NCT.sub(b'"orgId":"none"', record, count=1)


def _null_id(record: bytes) -> bytes:
    return _NCT.sub(b'"nctId":null', record, count=1)


def _strange_id(record: bytes) -> bytes:
    return _NCT.sub(b'"nctId":"ISRCTN12345"', record, count=1)


def _wrong_types(record: bytes) -> bytes:
    study = orjson.loads(record)
    protocol = study["protocolSection"]
    protocol["statusModule"] = [protocol.get("statusModule")]
    protocol["conditionsModule"] = {"conditions": "not a list", "keywords": {"0": 1}}
    protocol["identificationModule"]["nctId"] = 90000001
    return orjson.dumps(study)


def _impossible_dates(record: bytes) -> bytes:
    study = orjson.loads(record)
    status = study["protocolSection"].setdefault("statusModule", {})
    status["startDateStruct"] = {"date": "2024-13-45"}
    status["completionDateStruct"] = {"date": "soon"}
    status["studyFirstSubmitDate"] = 20240101
    return orjson.dumps(study)


def _not_an_object(record: bytes) -> bytes:
    return orjson.dumps(["not", "a", "study", len(record)])


def _no_protocol(record: bytes) -> bytes:
    return b'{"hasResults":false,"derivedSection":null}'


def _odd_text(odd: bytes) -> Callable[[bytes], bytes]:
    return lambda record: _TITLE.sub(lambda match: match[0] + odd, record, count=1)


BREAKS = (_without_id, _wrong_types, _null_id, _not_an_object, _strange_id, _no_protocol, _impossible_dates)
ODD_TEXTS = tuple(_odd_text(odd) for odd in _ODD_TEXTS)


class MalformedRegistry:
    """Another registry in which some records are malformed: `amount` of them, or that share where it is below 1.

    By turns a record breaks in one of seven ways, or is a good record with an odd title. Which ones they are, and how,
    depends on the seed alone.
    """

    def __init__(self, registry: Registry, amount: float, seed: int) -> None:
        self._registry = registry
        self.by_index, self.by_update = registry.by_index, registry.by_update
        self.timestamp = registry.timestamp
        self.date, self.find = registry.date, registry.find
        count = round(amount if amount >= 1 else amount * len(registry.by_index))
        chosen = nsmallest(count, registry.by_index, key=lambda index: mix(seed, index, _STREAM))
        self.broken = {index: BREAKS[k // 2 % len(BREAKS)] for k, index in enumerate(chosen) if k % 2 == 0}
        self.odd = {index: ODD_TEXTS[k // 2 % len(ODD_TEXTS)] for k, index in enumerate(chosen) if k % 2}

    def render(self, index: int) -> bytes:
        record = self._registry.render(index)
        change = self.broken.get(index) or self.odd.get(index)
        return change(record) if change else record

    def study(self, index: int, modules: Collection[str] | None = None) -> Any:
        if index in self.broken:
            return orjson.loads(self.render(index))
        return self._registry.study(index, modules)
