"""A parser for the part of Essie, the registry's query language, that a loader's scope needs.

`AREA[Field]`, `RANGE[low, high]` with MIN and MAX, `AND`, `OR`, `NOT`, parentheses, quoted phrases, `MISSING`, `ALL`,
plain terms. `COVERAGE[…]`, `EXPANSION[…]`, `TILT[…]` and `SEARCH[…]` are read and have no effect: there are no
synonyms, no ranking, and a study is searched as a whole. NOT binds closer than AND, AND closer than OR; words side by
side are a phrase.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.fields import locate

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>AREA|RANGE|COVERAGE|EXPANSION|TILT|SEARCH)\s*\[(?P<inside>[^\[\]]*)\]
    |(?P<paren>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()\[\]"]+))""",
    re.VERBOSE,
)
_IGNORED = frozenset({"COVERAGE", "EXPANSION", "TILT", "SEARCH"})
_DEEPEST = 50


@dataclass(frozen=True)
class Term:
    """Words that must stand side by side in one of the area's fields."""

    words: str
    area: str | None = None


@dataclass(frozen=True)
class Range:
    """Bounds as written; None is MIN or MAX. Both ends are included."""

    low: str | None
    high: str | None
    area: str | None = None


@dataclass(frozen=True)
class Missing:
    area: str | None = None


@dataclass(frozen=True)
class Everything:
    pass


@dataclass(frozen=True)
class Not:
    part: "Node"


@dataclass(frozen=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Node", ...]


Node = Term | Range | Missing | Everything | Not | And | Or


def parse(expression: str, area: str | None = None) -> Node:
    """The tree of an expression, its plain terms searched in `area`. Raises BadRequest for a malformed one."""
    return _Parser(expression).whole(area)


class _Parser:
    def __init__(self, expression: str) -> None:
        self._text = expression
        self._tokens = self._split()
        self._at = 0
        self._depth = 0

    def whole(self, area: str | None) -> Node:
        if not self._tokens:
            self._fail("empty expression")
        node = self._either(area)
        if self._at < len(self._tokens):
            self._fail(f"unexpected `{self._tokens[self._at][1]}`")
        return node

    def _split(self) -> list[tuple[str, str]]:
        tokens, position, end = [], 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None:
                self._fail(f"cannot be read from position {position}")
            kind = match.lastgroup or ""
            if match["op"]:
                tokens.append((match["op"], match["inside"]))
            elif kind == "word" and match["word"] in ("AND", "OR", "NOT", "MISSING", "ALL"):
                tokens.append((match["word"], match["word"]))
            elif kind == "quoted":
                tokens.append(("quoted", re.sub(r"\\(.)", r"\1", match["quoted"])))
            else:
                tokens.append((kind if kind == "word" else match["paren"], match[kind]))
            position = match.end()
        return tokens

    def _fail(self, why: str) -> NoReturn:
        raise BadRequest(f"Invalid query expression `{self._text}`: {why}")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            self._fail("unexpected end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self, area: str | None) -> Node:
        parts = [self._both(area)]
        while self._peek() == "OR":
            self._next()
            parts.append(self._both(area))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self, area: str | None) -> Node:
        parts = [self._operand(area)]
        while self._peek() not in ("", ")", "OR"):
            if self._peek() == "AND":
                self._next()
            parts.append(self._operand(area))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _operand(self, area: str | None) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("too complicated")
        try:
            return self._operand_of(area)
        finally:
            self._depth -= 1

    def _operand_of(self, area: str | None) -> Node:
        kind, value = self._next()
        if kind == "NOT":
            return Not(self._operand(area))
        if kind == "AREA":
            return self._operand(self._known(value.strip()))
        if kind in _IGNORED:
            return self._operand(area)
        if kind == "(":
            node = self._either(area)
            if self._peek() != ")":
                self._fail("`)` is missing")
            self._next()
            return node
        return self._leaf(kind, value, area)

    def _leaf(self, kind: str, value: str, area: str | None) -> Node:
        if kind == "RANGE":
            return self._range(value, area)
        if kind == "MISSING":
            return Missing(area)
        if kind == "ALL":
            return Everything()
        if kind == "quoted":
            return Term(value, area)
        if kind != "word":
            self._fail(f"unexpected `{value}`")
        words = [value]
        while self._peek() == "word":
            words.append(self._next()[1])
        return Term(" ".join(words), area)

    def _known(self, name: str) -> str:
        if locate(name.removesuffix(":size")) is None:
            self._fail(f"unknown area `{name}`")
        return name

    def _range(self, inside: str, area: str | None) -> Range:
        bounds = [bound.strip().strip('"') for bound in inside.split(",")]
        if len(bounds) != 2 or not all(bounds):
            self._fail("RANGE takes two bounds")
        if area is None:
            self._fail("RANGE must follow AREA")
        low, high = (None if bound == end else bound for bound, end in zip(bounds, ("MIN", "MAX"), strict=True))
        return Range(low, high, area)
