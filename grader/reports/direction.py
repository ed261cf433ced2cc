"""Right-to-left text: which way each block of a student's Markdown runs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

RIGHT_TO_LEFT = frozenset({"R", "AL"})
"""Bidirectional classes of Hebrew, and of Arabic and Persian letters (UAX #9)."""

# Wrappers around blocks, of which notebooks in these languages are full.
_WRAPPER = re.compile(
    r"<(/?)(?:div|p)(?:\s(?:[^<>]{0,200}\s)?dir\s{0,3}=\s{0,3}[\"']?(rtl|ltr)\b)?[^<>]{0,200}>",
    re.IGNORECASE,
)


def set_directions(tokens: Sequence[Token]) -> None:
    """Mark the outer blocks that run from right to left, in place.

    A block runs as the wrapper around it says, or else as its words do. What
    holds nothing but wrappers is hidden.
    """
    wrappers: list[str] = []
    for block in _outer_blocks(tokens):
        opening, first = block[0], block[1]
        closed = _enter(wrappers, first.content if first.type == "inline" else "")
        direction = next(filter(None, reversed(wrappers)), "")
        if direction == "rtl" or (not direction and runs_right_to_left(_words(block))):
            opening.attrSet("dir", "rtl")
        del wrappers[max(0, len(wrappers) - closed) :]
        if opening.type == "paragraph_open" and first.content and not _words(block).strip():
            _hide_wrappers(block)


def runs_right_to_left(text: str) -> bool:
    """Whether at least half of a text's words do: foreign terms do not turn a sentence round."""
    if text.isascii():
        return False
    kinds = Counter(unicodedata.bidirectional(word[0]) for word in re.findall(r"[^\W\d_]+", text))
    count = sum(kinds[kind] for kind in RIGHT_TO_LEFT)
    return count > 0 and count >= kinds["L"]


def _outer_blocks(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    start = 0
    for i, token in enumerate(tokens):
        if token.level == 0 and token.nesting == 1:
            start = i
        elif token.level == 0 and token.nesting == -1:
            yield tokens[start : i + 1]


def _words(block: Sequence[Token]) -> str:
    """The block's text without its code and formulas."""
    children = [child for token in block for child in token.children or ()]
    return " ".join(child.content for child in children if child.type == "text")


def _enter(wrappers: list[str], content: str) -> int:
    """Add the wrappers that a block opens; how many it closes."""
    tags = _WRAPPER.findall(content)
    wrappers += [direction.lower() for slash, direction in tags if not slash]
    return sum(slash == "/" for slash, _ in tags)


def _hide_wrappers(block: Sequence[Token]) -> None:
    """Leave no empty paragraph where wrappers were all that there was."""
    _, inline, _ = block
    if not _WRAPPER.sub("", inline.content).strip():
        for token in block:
            token.hidden = True
        inline.children = []
