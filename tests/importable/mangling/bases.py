"""Hand-ins to be deformed, and how a deformed one is written to disk."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

import nbformat
from nbformat import NotebookNode
from rapidfuzz import fuzz

from grader.alignment import align
from grader.assignment import Assignment
from grader.audit import (
    Mutant,
    load_mutants,
    release_submission,
    solution_submission,
)
from grader.release import cell_question, cell_role
from grader.submission import Submission, load_submission
from mangling.records import Cell, HandIn, Saved

_MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[^\n]*\n?", re.MULTILINE)
LEAST_LIKENESS = 55
FIRST_WITH_IDS = (4, 5)
# What Jupyter writes into a notebook that it saves.
JUPYTER: Mapping[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.7",
    },
}


def solution_hand_in(assignment: Assignment) -> HandIn:
    """The solution as a student would hand it in: run, and without the solution's markers."""
    return _made_hand_in(assignment, solution_submission(assignment))


def release_hand_in(assignment: Assignment) -> HandIn:
    """The untouched release."""
    return _made_hand_in(assignment, release_submission(assignment))


def wrong_hand_in(assignment: Assignment) -> HandIn:
    """The solution with one of the assignment's planted bugs in each question that has some."""
    hand_in = solution_hand_in(assignment)
    wrong: set[str] = set()
    for mutant in load_mutants(assignment):
        if mutant.question not in wrong:
            changed = _planted(hand_in, assignment, mutant)
            wrong |= {mutant.question} if changed != hand_in else set()
            hand_in = changed
    return hand_in


def _planted(hand_in: HandIn, assignment: Assignment, mutant: Mutant) -> HandIn:
    path = assignment.question(mutant.question).file
    find, put = (_without_markers(text) for text in (mutant.find, mutant.replace))

    def bugged(cell: Cell) -> Cell:
        meant = cell.question == mutant.question and cell.role == "answer"
        return replace(cell, source=cell.source.replace(find, put)) if meant else cell

    files = {
        name: content.replace(find.encode(), put.encode()) if name == path else content
        for name, content in hand_in.files.items()
    }
    return replace(hand_in if path else hand_in.map_cells(bugged), files=files)


def _made_hand_in(assignment: Assignment, submission: Submission) -> HandIn:
    """A hand-in of what an assignment makes of its own solution."""
    stubs = {cell.id: cell.source for cell in assignment.release.cells}
    cells = tuple(
        Cell(
            kind=cell.cell_type,
            source=_without_markers(cell.source),
            question=cell_question(cell),
            role=cell_role(cell),
            stub=stubs[cell.id] if cell_role(cell) == "answer" else "",
            metadata=dict(cell.metadata),
            identity=cell.id,
            count=cell.get("execution_count"),
        )
        for cell in submission.notebook.cells
    )
    files = {
        path: _without_markers(content.decode()).encode()
        for path, content in submission.files.items()
        if path != submission.name
    }
    name = "hand-in.ipynb" if cells else ""
    return HandIn(name, cells, files, assignment.answer_files, JUPYTER)


def read_hand_in(path: Path, assignment: Assignment) -> HandIn:
    """A hand-in of a file or folder; what its cells are is told by likeness to the release."""
    submission = load_submission(path, assignment.answer_files)
    folder = str(submission.folder)
    answers = tuple(
        str(PurePosixPath(folder, file))
        for file in assignment.answer_files
        if str(PurePosixPath(folder, file)) in submission.files
    )
    files = {p: c for p, c in submission.files.items() if p != submission.name}
    roles = dict(_roles(assignment, submission.notebook))
    cells = tuple(
        Cell(
            kind=cell.cell_type,
            source=cell.source,
            question=roles[index][0],
            role=roles[index][1],
            stub=roles[index][2],
            metadata=dict(cell.metadata),
            identity=cell.id,
            outputs=tuple(cell.get("outputs", ())),
            count=cell.get("execution_count"),
        )
        for index, cell in enumerate(submission.notebook.cells)
    )
    return HandIn(submission.name, cells, files, answers, JUPYTER)


def save(hand_in: HandIn) -> Saved:
    """The hand-in's files, the notebook among them."""
    if not hand_in.name:
        return Saved("", dict(hand_in.files))
    text = json.dumps(notebook_tree(hand_in), indent=1, ensure_ascii=False)
    return Saved(hand_in.name, {**hand_in.files, hand_in.name: (text + "\n").encode()})


def notebook_tree(hand_in: HandIn) -> dict[str, Any]:
    """The notebook as JSON, in the hand-in's version of nbformat."""
    major, minor = hand_in.version
    has_ids = hand_in.version >= FIRST_WITH_IDS
    cells = [_cell_tree(cell, has_ids) for cell in hand_in.cells]
    tree = {
        "cells": cells,
        "metadata": dict(hand_in.metadata),
        "nbformat": max(major, 4),
        "nbformat_minor": minor,
    }
    if major >= FIRST_WITH_IDS[0]:
        return tree
    joined = [{**cell, "source": "".join(cell["source"])} for cell in cells]
    newer = nbformat.from_dict({**tree, "cells": joined, "nbformat_minor": 4})
    return dict(json.loads(nbformat.v3.writes_json(nbformat.v4.downgrade(newer))))


def write(saved: Saved, folder: Path) -> Path:
    """Writes the files into an empty `folder`; returns what is handed in.

    That is the one file or the one folder at the top, or `folder` where there are several.
    """
    for name, content in saved.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    entries = list(folder.iterdir())
    return entries[0] if len(entries) == 1 else folder


def fresh_id(rng: Random) -> str:
    """An id as Jupyter makes them."""
    return uuid.UUID(int=rng.getrandbits(128), version=4).hex[:8]


def _cell_tree(cell: Cell, has_ids: bool) -> dict[str, Any]:
    tree: dict[str, Any] = {"cell_type": cell.kind, "metadata": dict(cell.metadata)}
    if has_ids and cell.identity:
        tree["id"] = cell.identity
    if cell.is_code:
        tree |= {"execution_count": cell.count, "outputs": list(cell.outputs)}
    return {**tree, "source": cell.source.splitlines(keepends=True)}


def _without_markers(text: str) -> str:
    return _MARKER.sub("", text).rstrip("\n") + ("\n" if text.endswith("\n") else "")


def _roles(
    assignment: Assignment, notebook: NotebookNode
) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Each cell's question, role and stub."""
    release = assignment.release.cells
    answers = align(assignment, notebook)
    owners = {j: q for q, answer in answers.items() for j in answer.cells}
    for index, cell in enumerate(notebook.cells):
        like = [c for c in release if c.cell_type == cell.cell_type and c.source]
        best = max(like, key=lambda c: fuzz.ratio(c.source, cell.source), default=None)
        near = best is not None and fuzz.ratio(best.source, cell.source) >= LEAST_LIKENESS
        question = owners.get(index, cell_question(best) if near else "")
        role = cell_role(best) if near and cell_question(best) == question else ""
        if index in owners:
            role = role if role in ("given", "test") else "answer"
        elif role == "answer":
            role = ""
        stubs = [c.source for c in release if (cell_question(c), cell_role(c)) == (question, role)]
        yield index, (question, role, stubs[0] if role == "answer" and stubs else "")
