"""Task `stop_reasons`: why a study was stopped, as one of Open Targets' 17 classes, with the words that show it.

Keywords alone settle what they explain to the last word. A model reads the rest; where keywords found one class with
certainty and a small model disagrees, the keywords are right far more often, so a small model decides only where they
are unsure. A model that is not known to be small decides all that it reads.
"""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestration.enrichment import rules
from orchestration.enrichment.evidence import collapse, quoted
from orchestration.enrichment.rules import Suggestion, suggest
from orchestration.enrichment.stop_reasons import lexicon, reasons
from orchestration.enrichment.task import Answer, Example, InvalidAnswer, Task, Values

CLASSES = (
    "insufficient_enrollment",
    "business_administrative",
    "negative",
    "logistics_resources",
    "study_design",
    "invalid_reason",
    "study_staff_moved",
    "covid19",
    "another_study",
    "safety_sideeffects",
    "regulatory",
    "no_context",
    "interim_analysis",
    "endpoint_met",
    "insufficient_data",
    "ethical_reason",
    "success",
)
COLUMNS = ("evidence", "stop_reason", "second_reason")
FOLDER = Path(__file__).parent
# Who decided is no reason where another one is named.
DECIDER = "business_administrative"
# Another trial's result comes first, and what it was second.
OTHERS, DIRECTIONS = "another_study", ("negative", "safety_sideeffects")
# A pandemic is what drives other reasons: "no accrual because of Covid-19" is about accrual first.
DRIVER = "covid19"
LISTED = (" and ", "&", "/", ";", "+", " plus ", " also ")

SCHEMA = {
    "type": "object",
    "properties": {
        "evidence": {"type": "string"},
        "stop_reason": {"type": "string", "enum": list(CLASSES)},
        "second_reason": {"anyOf": [{"type": "string", "enum": list(CLASSES)}, {"type": "null"}]},
    },
    "required": list(COLUMNS),
    "additionalProperties": False,
}


def keywords(text: str) -> Suggestion:
    """What the lexicon finds: who decided behind why, a driver behind what it drove, a result behind whose it is."""
    found = suggest(lexicon.STOP_REASONS, text)
    if len(found.labels) < 2:
        return found
    if found.labels[0] in DIRECTIONS and OTHERS in found.labels:
        return _with_first(found, found.labels.index(OTHERS))
    decided = found.weak and found.labels[0] == DECIDER
    return _with_first(found, 1) if decided or _drives(text, found) else found


def _drives(text: str, found: Suggestion) -> bool:
    """Whether the first class caused the second, rather than being listed beside it."""
    between = text[found.spans[0][1] : found.spans[1][0]].lower()
    return found.labels[0] == DRIVER and not any(word in between for word in LISTED)


def _with_first(found: Suggestion, index: int) -> Suggestion:
    order = [index, *(i for i in range(len(found.labels)) if i != index)]
    return replace(found, labels=tuple(found.labels[i] for i in order), spans=tuple(found.spans[i] for i in order))


def rule(text: str) -> Answer | None:
    """The answer where keywords explain the whole text: one class, or several that are certain."""
    text = collapse(text)
    found = keywords(text)
    if not found.labels:
        return None if found.residue or not text else _answer(text, found, "high")
    unexplained = len(found.residue)
    if len(found.labels) == 1 and unexplained <= (0 if found.weak else 1):
        return _answer(text, found, "medium" if found.weak or unexplained else "high")
    if len(found.labels) > 1 and not found.weak and not unexplained:
        return _answer(text, found, "medium")
    return None


def check(text: str, raw: Any) -> Values:
    """The model's JSON as values: classes of the list, evidence as it stands in the text. Raises InvalidAnswer."""
    if not isinstance(raw, dict):
        raise InvalidAnswer("answer with one JSON object")
    first, second = raw.get("stop_reason"), raw.get("second_reason")
    if first not in CLASSES:
        raise InvalidAnswer(f"stop_reason is {first!r}, which is none of the classes")
    if second is not None and second not in CLASSES:
        raise InvalidAnswer(f"second_reason is {second!r}, which is neither a class nor null")
    evidence = quoted(text, str(raw.get("evidence") or ""))
    return {"evidence": evidence, "stop_reason": first, "second_reason": _second(text, first, second)}


def _second(text: str, first: str, second: str | None) -> str | None:
    """The second class, if it adds anything, and says no more of an interim analysis than the text does."""
    unfounded = second == "interim_analysis" and "interim" not in text.lower()
    return None if unfounded or second in (first, "no_context") else second


def settle(text: str, read: Values, trusted: bool) -> Answer:
    """The final answer, from the keywords and from what a model read; `trusted` models are not overruled."""
    text = collapse(text)
    found = keywords(text)
    first = found.labels[0] if found.labels else None
    if read["stop_reason"] == first:
        second = read["second_reason"] if trusted or len(found.labels) < 2 else found.labels[1]
        return Answer({**read, "second_reason": second}, "medium" if found.weak else "high", "rule+llm")
    if trusted or found.weak or first is None or (len(found.labels) > 1 and read["stop_reason"] in found.labels):
        return Answer(read, "medium" if trusted else "low", "llm")
    return _answer(text, found, "low")


def _answer(text: str, found: Suggestion, confidence: str) -> Answer:
    first, *rest = found.labels or ("no_context",)
    start, end = found.spans[0] if found.spans else (0, len(text))
    values = {"evidence": text[start:end], "stop_reason": first, "second_reason": rest[0] if rest else None}
    return Answer(values, confidence, "rule")


def _examples() -> tuple[Example, ...]:
    rows = [json.loads(line) for line in (FOLDER / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    return tuple(Example(row["text"], {column: row[column] for column in COLUMNS}) for row in rows)


# What decides about an answer besides the prompt.
LOGIC: tuple[Any, ...] = (rules, reasons, lexicon, keywords, _drives, _with_first, rule, settle, _second, _answer)

STOP_REASONS = Task(
    name="stop_reasons",
    table="enrichment.stop_reasons",
    columns=COLUMNS,
    texts="intermediate.int_stop_reason_texts",
    gold_texts="""
        select trials.nct_id, texts.text_hash, texts.text
        from intermediate.int_stopped_trials as trials
        join intermediate.int_stop_reason_texts as texts using (text_hash)
        where trials.nct_id = any(%(nct_ids)s)
    """,
    label="stop_reason",
    second_label="second_reason",
    instructions=(FOLDER / "prompt.md").read_text(encoding="utf-8"),
    examples=_examples(),
    schema=SCHEMA,
    rule=rule,
    check=check,
    settle=settle,
    logic=tuple(inspect.getsource(part) for part in LOGIC),
)
