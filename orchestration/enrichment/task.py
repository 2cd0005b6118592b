"""What a task is: a declaration that the client, the store, the runner and the evaluation all read."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Values = Mapping[str, str | None]


class InvalidAnswer(Exception):
    """The model answered, but not what was asked for; the message says what is wrong, to be told to the model."""


@dataclass(frozen=True)
class Answer:
    """What is stored about one text: the task's own columns, how sure it is, and who said so."""

    values: Values
    confidence: str
    method: str


@dataclass(frozen=True)
class Example:
    """One solved case of the prompt."""

    text: str
    values: Values


@dataclass(frozen=True)
class Task:
    """One question put to many short texts.

    table, columns: where answers go, `enrichment.<name>`, and its columns that hold `Answer.values`.
    texts: the relation of what is to be read (text_hash, text, study_count, latest_update).
    gold_texts: SQL that yields (nct_id, text_hash, text) for `%(nct_ids)s`, to join hand-made labels.
    label, second_label: the column that is scored, and the one that holds a second class.
    rule: the answer where keywords settle it, else None. check: a model's JSON as values; raises InvalidAnswer.
    settle: the final answer of what the model read, given how far it may be trusted against the keywords.
    logic: source code that decides about answers; a change of it, of prompt, examples or schema is a new version.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    texts: str
    gold_texts: str
    label: str
    second_label: str
    instructions: str
    examples: tuple[Example, ...]
    schema: Mapping[str, Any]
    rule: Callable[[str], Answer | None]
    check: Callable[[str, Any], Values]
    settle: Callable[[str, Values, bool], Answer]
    logic: tuple[str, ...] = ()

    @cached_property
    def version(self) -> str:
        """12 hexadecimal digits that change with whatever can change an answer. White space in code cannot."""
        parts = [
            self.instructions,
            json.dumps([(e.text, dict(e.values)) for e in self.examples]),
            json.dumps(self.schema),
            *("".join(source.split()) for source in self.logic),
        ]
        return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:12]

    def messages(self, text: str) -> list[dict[str, str]]:
        """The chat for one text. All but the last message is the same for every text, so servers cache it."""
        chat = [{"role": "system", "content": self.instructions}]
        for example in self.examples:
            chat.append({"role": "user", "content": example.text})
            chat.append({"role": "assistant", "content": json.dumps(dict(example.values), ensure_ascii=False)})
        return [*chat, {"role": "user", "content": text}]

    @property
    def response_format(self) -> dict[str, Any]:
        """The JSON schema in the form of the chat completions API."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": dict(self.schema)}}
