"""Keyword rules: what words alone say about a text, and whether they say it beyond doubt.

A lexicon holds regular expressions per label. Where matches overlap the longest wins, so that "Covid-19 patients could
not be recruited" is one signal and not two. Words that match no pattern and are no filler are the residue: a text
without residue is explained in full, and only then are rules sure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CODE = re.compile(r"\d|[A-Z].*[A-Z]")
WORD = re.compile(r"\w[\w'-]*")


@dataclass(frozen=True)
class Signal:
    """A match: `label` (None for a phrase that only rules something out), and where it is in the text."""

    label: str | None
    start: int
    end: int
    weak: bool = False


@dataclass(frozen=True)
class Lexicon:
    """What the rules of one task know.

    strong: label -> patterns that show it. weak: label -> patterns that count only where nothing strong was found,
    such as who decided. dismissed: phrases to be ignored, such as "not due to safety concerns". filler: words
    without a say in the matter. modifier: words that need no explanation beside a signal, but do on their own.
    Patterns are matched on word boundaries, ignoring case.
    """

    strong: Mapping[str, Sequence[str]]
    weak: Mapping[str, Sequence[str]]
    dismissed: Sequence[str]
    filler: str
    modifier: str
    _compiled: list[tuple[str | None, bool, re.Pattern[str]]] = field(default_factory=list, init=False, repr=False)
    _explained: tuple[re.Pattern[str], re.Pattern[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        groups = [(label, False, patterns) for label, patterns in self.strong.items()]
        groups += [(label, True, patterns) for label, patterns in self.weak.items()]
        every: list[tuple[str | None, bool, Sequence[str]]] = [(None, False, self.dismissed), *groups]
        self._compiled.extend(
            (label, weak, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE))
            for label, weak, patterns in every
            for pattern in patterns
        )
        filler, both = self.filler, f"{self.filler}|{self.modifier}"
        object.__setattr__(self, "_explained", (re.compile(filler, re.IGNORECASE), re.compile(both, re.IGNORECASE)))

    def signals(self, text: str) -> list[Signal]:
        """Every signal in the order of the text; of overlapping ones the longest."""
        text = _plain(text)
        found = [
            Signal(label, match.start(), match.end(), weak)
            for label, weak, pattern in self._compiled
            for match in pattern.finditer(text)
            if match.end() > match.start()
        ]
        found.sort(key=lambda s: (s.start - s.end, s.weak, s.start))
        kept: list[Signal] = []
        for signal in found:
            if all(signal.end <= other.start or signal.start >= other.end for other in kept):
                kept.append(signal)
        return sorted(kept, key=lambda s: s.start)

    def residue(self, text: str, signals: Sequence[Signal]) -> list[str]:
        """The words that neither a signal nor the fillers explain, names and codes aside."""
        explained = self._explained[any(signal.label for signal in signals)]
        blank = list(_plain(text))
        for signal in signals:
            blank[signal.start : signal.end] = " " * (signal.end - signal.start)
        return [
            word for word in WORD.findall("".join(blank)) if not explained.fullmatch(word) and not CODE.search(word)
        ]


def _plain(text: str) -> str:
    """The text with one kind of apostrophe, and no capitals where all are; every character keeps its place."""
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    lower = text.lower()
    return lower if text.isupper() and len(lower) == len(text) else text


@dataclass(frozen=True)
class Suggestion:
    """What rules make of a text: labels with the span that shows each, strongest first, and the unexplained words."""

    labels: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    residue: tuple[str, ...]
    weak: bool


def suggest(lexicon: Lexicon, text: str) -> Suggestion:
    """Labels in the order in which the text names them; weak signals only where there is no strong one."""
    signals = lexicon.signals(text)
    labelled = [s for s in signals if s.label is not None]
    strong = [s for s in labelled if not s.weak]
    first: dict[str, Signal] = {}
    for signal in strong or labelled:
        first.setdefault(str(signal.label), signal)
    return Suggestion(
        labels=tuple(first),
        spans=tuple((s.start, s.end) for s in first.values()),
        residue=tuple(lexicon.residue(text, signals)),
        weak=not strong,
    )
