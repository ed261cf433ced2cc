"""Reads a notebook of no grading system: what has solution markers is an answer."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from grader.authoring.draft import Draft, DraftQuestion, new_cell
from grader.authoring.reading import names_of, notebook_title, shared_imports, title_of
from grader.records import QuestionKind
from grader.release import BEGIN, END

MARKED = re.compile(rf"^[ \t]*({BEGIN}|{END})[^\n]*\n?", re.MULTILINE)
POINTS = re.compile(r"\((\d+(?:\.\d+)?) *(?:points?|pts?)\.?\)", re.IGNORECASE)


def is_marked(notebook: NotebookNode) -> bool:
    """Whether any cell has solution markers."""
    return any(BEGIN in str(cell.source) for cell in notebook.cells)


def read_plain(notebook: NotebookNode, otherwise: str) -> Draft:
    """A question for each run of cells with markers: code is graded, text waits for a person."""
    draft = Draft(notebook_title(notebook.cells, otherwise))
    draft.imports, _ = shared_imports(notebook.cells)
    waiting: list[NotebookNode] = []
    is_open = False
    for cell in notebook.cells:
        if BEGIN not in str(cell.source):
            is_open = False
            waiting.append(cell)
            continue
        if not is_open:
            _begin(draft, waiting, cell)
        waiting, is_open = [], True
        _add_answer(draft, cell)
    for cell in waiting:
        draft.add(cell)
    return draft


def _begin(draft: Draft, waiting: list[NotebookNode], answer: NotebookNode) -> None:
    identity = f"q{len(draft.questions) + 1}"
    texts = [place for place, cell in enumerate(waiting) if cell.cell_type == "markdown"]
    last = texts[-1] if texts else -1
    for place, cell in enumerate(waiting):
        is_prompt = place == last
        draft.add(cell, identity if is_prompt else "", "prompt" if is_prompt else "")
    if last < 0:
        draft.add(new_cell("markdown", f"**{identity}**"), identity, "prompt")
        draft.left_out.append(f"{identity}: no text before the answer; a prompt was made")
    text = str(waiting[last].source) if texts else ""
    points = POINTS.search(text)
    if not points:
        draft.left_out.append(f"{identity}: its points, which were taken to be 1")
    kind = QuestionKind.CODE if answer.cell_type == "code" else QuestionKind.WRITTEN
    value = float(points[1]) if points else 1.0
    draft.questions.append(DraftQuestion(identity, title_of(text, identity), kind, value))
    if kind is QuestionKind.CODE:
        draft.left_out.append(f"{identity}: it has no check yet: write one in checks/")


def _add_answer(draft: Draft, cell: NotebookNode) -> None:
    question = draft.questions[-1]
    added = draft.add(cell, question.id, "answer")
    if cell.cell_type == "code":
        question.names += [n for n in names_of(added.source) if n not in question.names]
    else:
        # A written answer is blanked as a whole; only code needs its markers.
        added.source = MARKED.sub("", added.source).strip()
