"""The notebook as its cells were last run: the file may not have been saved since."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from nbformat import NotebookNode
from rapidfuzz import fuzz

from grader.submission import Submission

# How much of two cells' code must be alike for them to be one cell, in percent.
LIKENESS = 60.0


def compose(
    submission: Submission, executed: Sequence[Sequence[str]]
) -> tuple[Submission, tuple[str, ...]]:
    """The submission with the code that was run in place of what is saved, and what differs.

    `executed` are pairs of a cell's id, empty where the front end gives none,
    and its code, in the order in which they were run.
    """
    notebook = copy.deepcopy(submission.notebook)
    changed: set[int] = set()
    for identity, source in executed:
        index = _cell(notebook, identity, source)
        if index is not None and notebook.cells[index].source.strip() != source.strip():
            notebook.cells[index].source = source
            changed.add(index)
    saved = submission.notebook.cells
    unsaved = [i for i in sorted(changed) if saved[i].source.strip() != notebook.cells[i].source]
    return replace(submission, notebook=notebook), tuple(_note(unsaved))


def _note(unsaved: Sequence[int]) -> list[str]:
    if not unsaved:
        return []
    cells = "cell" if len(unsaved) == 1 else "cells"
    numbers = ", ".join(map(str, unsaved))
    return [f"{cells} {numbers}: what you ran is not what is saved; save before you hand in"]


def _cell(notebook: NotebookNode, identity: str, source: str) -> int | None:
    """The cell that this code is of."""
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for index in code:
        if identity and notebook.cells[index].get("id") == identity:
            return index
    for index in code:
        if notebook.cells[index].source.strip() == source.strip():
            return index
    likeness = {index: fuzz.ratio(notebook.cells[index].source, source) for index in code}
    best = max(likeness, key=likeness.__getitem__, default=None)
    return best if best is not None and likeness[best] >= LIKENESS else None
