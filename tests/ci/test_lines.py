"""Where in a notebook's file its cells begin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.ci.lines import source_lines

CELLS = [
    {"cell_type": "markdown", "metadata": {"a": [1, {"b": '"cells": ['}]}, "source": ["# one\n"]},
    {"source": "x = 1\ny = 2", "cell_type": "code", "outputs": [], "metadata": {}},
    {"cell_type": "code", "outputs": [{"text": ["1\n"]}], "source": []},
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["marked = 1\n", "y\n"]},
]


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_lines(indent: int | None) -> None:
    """The line that is found is the one on which a cell's first line of source stands."""
    text = json.dumps({"metadata": {"cells": 3}, "cells": CELLS, "nbformat": 4}, indent=indent)
    found = source_lines(text)
    lines = text.split("\n")
    assert len(found) == len(CELLS)
    for place, first in [(0, "# one"), (1, "x = 1"), (3, "marked = 1")]:
        assert first in lines[found[place] - 1]


def test_every_bundled_notebook() -> None:
    """In real notebooks each cell's line holds the beginning of its source."""
    for path in Path(__file__).parents[2].glob("assignments/*/solution.ipynb"):
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for line, cell in zip(source_lines(text), json.loads(text)["cells"], strict=True):
            source = "".join(cell["source"]).split("\n")[0]
            written = [json.dumps(source, ensure_ascii=plain)[1:-1] for plain in (True, False)]
            assert any(text in lines[line - 1] for text in written)


@pytest.mark.parametrize(
    "text", ["", "[", "{", "[]", '{"cells": 3}', '{"cells": [{"a": 1}, ', '{"cells"', "[" * 9999]
)
def test_no_notebook(text: str) -> None:
    """What is no notebook has no lines, and raises nothing."""
    assert source_lines(text) == []


def test_deep_nesting() -> None:
    """A notebook that is nested without end raises nothing."""
    assert source_lines('{"cells": [' + "[" * 100_000) == []
