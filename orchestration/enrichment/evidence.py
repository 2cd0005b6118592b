"""Hold the words that a model quotes against the text that it read."""

import re
from difflib import SequenceMatcher

from orchestration.enrichment.task import InvalidAnswer

WORD = re.compile(r"\w+")
# Shorter overlaps than this share of the quoted words are chance, not a slip of the pen.
ENOUGH = 0.8


def collapse(text: str) -> str:
    """Runs of white space as one space each, none at the ends."""
    return " ".join(text.split())


def quoted(text: str, evidence: str) -> str:
    """The words of `text` that `evidence` quotes, as they stand there.

    Case, white space and punctuation may differ. A quotation with a slip (a typo mended, a word left out) is cut down
    to the longest run of words that does stand in the text, if that is most of it. Raises InvalidAnswer otherwise.
    """
    text, evidence = collapse(text), collapse(evidence)
    if not evidence:
        raise InvalidAnswer("evidence is empty: quote the words of the text that give the reason")
    if match := re.search(re.escape(evidence), text, re.IGNORECASE):
        return match.group()
    ours, theirs = list(WORD.finditer(text)), WORD.findall(evidence.lower())
    run = SequenceMatcher(None, [w.group().lower() for w in ours], theirs, autojunk=False).find_longest_match()
    if not run.size or run.size < ENOUGH * len(theirs):
        raise InvalidAnswer("evidence is not in the text: copy the words exactly as they stand there")
    return text[ours[run.a].start() : ours[run.a + run.size - 1].end()]
