"""Code and words as tokens that renaming, comments and layout do not change.

Names that a student can choose are all the same token; builtins and what numpy,
matplotlib and the standard types offer keep theirs, since renaming cannot reach
them. Comments, docstrings, imports and white space are left out.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>[rRbBuUfF]{0,2}(?:'''(?:[^\\]|\\.)*?(?:'''|\Z)|\"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z)
        |'(?:[^\\\n']|\\.)*'?|"(?:[^\\\n"]|\\.)*"?))
  | (?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?)
  | (?P<name>[^\W\d]\w*)
  | (?P<newline>\n)
  | (?P<operator>\*\*=?|//=?|[-+*/%@&|^<>=!]=|->|:=|<<|>>|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE = re.compile(r"[ \t]*(?:import|from)[ \t][^\n]*|[ \t]*[%!][^\n]*")
_WORD = re.compile(r"\w+")
ANY_NAME, ANY_STRING = "N", "S"
BUILTINS = frozenset(dir(builtins))


class Token(NamedTuple):
    """What counts of a piece of text, and where it stands."""

    text: str
    start: int
    end: int


@cache
def known_names() -> frozenset[str]:
    """Names that are the libraries' and not the student's."""
    owners = (np, np.ndarray, np.linalg, np.random, np.random.Generator)
    types = (list, dict, str, set, tuple, float)
    plotting = ("plot", "subplots", "figure", "legend", "xlabel", "ylabel", "imshow", "scatter")
    names = {name for owner in (*owners, *types) for name in dir(owner)}
    return frozenset((names | set(plotting)) - set("abcdefghijklmnopqrstuvwxyz") - {"e"})


@dataclass
class _Reader:
    """The state while code is read: what stood before a token."""

    last: str = ""
    at_line_start: bool = True


def code_tokens(source: str) -> list[Token]:
    """The tokens of Python code, which may be broken."""
    return list(_code_tokens(source))


def _code_tokens(source: str) -> Iterator[Token]:
    reader = _Reader()
    place = 0
    while place < len(source):
        # Imports and magics say what is used, not how.
        skipped = _LINE.match(source, place) if reader.at_line_start else None
        found = skipped or _TOKEN.search(source, place)
        if found is None:
            return
        place = found.end()
        if skipped is None:
            text = _canonical(found, source, reader)
            if text:
                yield Token(text, found.start(), found.end())
                reader.last = found[0]
            reader.at_line_start = found.lastgroup == "newline"


def _canonical(found: re.Match[str], source: str, reader: _Reader) -> str:
    """What a token is compared by; nothing for one that does not count."""
    kind, text = found.lastgroup, found[0]
    if kind in ("comment", "newline"):
        return ""
    if kind == "string":
        return "" if _is_docstring(found, source, reader) else ANY_STRING
    if kind != "name" or keyword.iskeyword(text):
        return text
    is_attribute = reader.last == "."
    known = known_names() if is_attribute else BUILTINS
    return text if text in known else ANY_NAME


def _is_docstring(found: re.Match[str], source: str, reader: _Reader) -> bool:
    """Whether a string stands by itself, as a statement."""
    before = source.rfind("\n", 0, found.start()) + 1
    after = source.find("\n", found.end())
    rest = source[found.end() : after if after >= 0 else len(source)]
    alone = not source[before : found.start()].strip() and not rest.strip()
    return alone and reader.last not in ("(", "[", "{", ",", "=", "+")


def word_tokens(text: str) -> list[Token]:
    """The words of a text, without case and marks."""
    return [Token(m[0].casefold(), m.start(), m.end()) for m in _WORD.finditer(text)]
