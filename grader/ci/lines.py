"""Where in a notebook's file its cells begin, for marks beside the right lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def source_lines(text: str) -> list[int]:
    """For each cell, the line (from 1) of the file on which its source begins.

    Empty where the text is not a notebook of format 4.
    """
    try:
        cells = dict(_members(text, _skip(text, 0))).get("cells")
        if cells is None or text[cells] != "[":
            return []
        return [_line(text, _source(text, start)) for start in _elements(text, cells)]
    except (ValueError, IndexError, RecursionError):
        return []


def _source(text: str, cell: int) -> int:
    """Where the first line of a cell's source stands; where the cell does, without one."""
    if text[cell] != "{":
        return cell
    source = dict(_members(text, cell)).get("source", cell)
    return next(_elements(text, source), source) if text[source] == "[" else source


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The keys of the object at `start`, and where their values begin."""
    if text[start] != "{":
        raise ValueError("no object")
    place = _skip(text, start + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        yield str(key), place
        place = _after(text, place)


def _elements(text: str, start: int) -> Iterator[int]:
    """Where the elements of the list at `start` begin."""
    place = _skip(text, start + 1)
    while text[place] != "]":
        yield place
        place = _after(text, place)


def _after(text: str, place: int) -> int:
    """Where the next member or element begins, or the end of them."""
    _, place = _DECODER.raw_decode(text, place)
    place = _skip(text, place)
    return _skip(text, place + 1) if text[place] == "," else place
