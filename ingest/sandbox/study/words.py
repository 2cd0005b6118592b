"""Sentences about a study, joined to texts of a wanted length."""

from collections.abc import Sequence

from ingest.sandbox.draws import Draw


def filled(bank: Sequence[str], words: dict[str, str]) -> list[str]:
    """The sentences of a bank with a study's words in them."""
    return [sentence % words for sentence in bank]


def text(draw: Draw, sentences: Sequence[str], length: float, joint: str = " ") -> str:
    """Sentences, in an order of their own, until the text has about `length` characters."""
    parts: list[str] = []
    count = len(sentences)
    size, position, step = 0, draw.whole(0, count - 1), 1 + 2 * draw.whole(0, 4)
    while size < length:
        sentence = sentences[position % count]
        parts.append(sentence)
        size += len(sentence) + 1
        position += step
    return joint.join(parts)
