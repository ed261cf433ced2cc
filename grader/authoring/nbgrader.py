"""Reads an assignment's source notebook of nbgrader's (cell metadata, schema 3)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from grader.authoring.draft import Draft, DraftCheck, DraftQuestion, new_cell
from grader.authoring.reading import (
    add_check,
    names_of,
    notebook_title,
    require_unique,
    shared_imports,
    title_of,
)
from grader.records import QuestionKind
from grader.release import BEGIN, END

SCHEMA = 3
LINES = re.MULTILINE | re.DOTALL
HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS.*?^[ \t]*### END HIDDEN TESTS[^\n]*\n?", LINES)
MARK_SCHEME = re.compile(r"^=== BEGIN MARK SCHEME ===.*?^=== END MARK SCHEME ===\n?", LINES)
OTHER_MARKERS = re.compile(r"^([ \t]*)### (BEGIN|END) ANSWER[^\n]*$", re.MULTILINE)
AUTOTEST = re.compile(r"^\s*### (HASHED )?AUTOTEST", re.MULTILINE)


@dataclass
class _Group:
    """The cells of one question, in order, each with its role."""

    cells: list[tuple[NotebookNode, str]] = field(default_factory=list)
    is_tested: bool = False


def is_nbgrader(notebook: NotebookNode) -> bool:
    """Whether any cell carries nbgrader's metadata."""
    return any(_settings(cell) for cell in notebook.cells)


def read_nbgrader(notebook: NotebookNode, otherwise: str) -> Draft:
    """An assignment from nbgrader's; `otherwise` is its title where the notebook has none."""
    draft = Draft(notebook_title(notebook.cells, otherwise))
    draft.imports, modules = shared_imports(notebook.cells)
    waiting: list[NotebookNode] = []
    group: _Group | None = None
    for cell in notebook.cells:
        role = _role(cell)
        if role in ("answer", "manual", "task") and (
            group is None or group.is_tested or role != "answer"
        ):
            group = _begin(draft, cell, waiting, role)
            waiting = []
        if group is None or role == "":
            waiting.append(cell)
            continue
        for between in waiting:
            draft.add(between)
        waiting = []
        _add(draft, group, cell, role, modules)
        group = None if role in ("manual", "task") else group
    for cell in waiting:
        draft.add(cell)
    require_unique(draft)
    return draft


def _settings(cell: NotebookNode) -> dict[str, Any]:
    settings = cell.metadata.get("nbgrader", {})
    return settings if isinstance(settings, dict) else {}


def _role(cell: NotebookNode) -> str:
    """`answer`, `test`, `manual`, `task`, or `""` for course text."""
    settings = _settings(cell)
    if settings.get("task"):
        return "task"
    if settings.get("solution"):
        return "manual" if settings.get("grade") else "answer"
    return "test" if settings.get("grade") else ""


def _begin(draft: Draft, cell: NotebookNode, waiting: list[NotebookNode], role: str) -> _Group:
    """Opens a question: its prompt is the last text before the answer, or is made."""
    settings = _settings(cell)
    identity = str(settings.get("grade_id") or f"q{len(draft.questions) + 1}")
    if settings.get("schema_version") != SCHEMA:
        draft.left_out.append(
            f"{identity}: its metadata has schema {settings.get('schema_version')}, not {SCHEMA}: "
            "look whether it was understood"
        )
    texts = [place for place, other in enumerate(waiting) if other.cell_type == "markdown"]
    prompt = cell if role == "task" else (waiting[texts[-1]] if texts else None)
    for place, other in enumerate(waiting):
        is_prompt = other is prompt and role != "task"
        draft.add(other, identity if is_prompt else "", "prompt" if is_prompt else "")
        if is_prompt and any(o.cell_type == "code" for o in waiting[place + 1 :]):
            draft.left_out.append(f"{identity}: there is code between its prompt and its answer")
    if prompt is None:
        draft.add(new_cell("markdown", f"**{identity}**"), identity, "prompt")
        draft.left_out.append(f"{identity}: no text before the answer; a prompt was made")
    kind = QuestionKind.CODE if role == "answer" else QuestionKind.WRITTEN
    points = float(settings.get("points") or 0) if role != "answer" else 0.0
    title = title_of(prompt.source if prompt is not None else "", identity)
    draft.questions.append(DraftQuestion(identity, title, kind, points))
    return _Group()


def _add(draft: Draft, group: _Group, cell: NotebookNode, role: str, modules: set[str]) -> None:
    question = draft.questions[-1]
    if role == "task":
        _add_task(draft, question, cell)
    elif role == "test":
        group.is_tested = True
        _add_tests(draft, question, cell, modules)
    else:
        added = draft.add(cell, question.id, "answer")
        added.source = _own_markers(draft, question, added.source)
        if role == "answer":
            question.names += [n for n in names_of(added.source) if n not in question.names]


def _add_task(draft: Draft, question: DraftQuestion, cell: NotebookNode) -> None:
    """A task has no answer cell of its own: students add theirs below its text."""
    added = draft.add(cell, question.id, "prompt")
    scheme = MARK_SCHEME.search(added.source)
    added.source = MARK_SCHEME.sub("", added.source).rstrip()
    answer = scheme[0].strip() if scheme else "*No model answer was given.*"
    lines = [line for line in answer.splitlines() if "MARK SCHEME ===" not in line]
    draft.add(new_cell("markdown", "\n".join(lines).strip()), question.id, "answer")
    draft.left_out.append(
        f"{question.id}: a task: an answer cell was added, with the mark scheme as its solution"
    )


def _add_tests(
    draft: Draft, question: DraftQuestion, cell: NotebookNode, modules: set[str]
) -> None:
    """The visible part stays in the notebook; each part becomes a check."""
    settings, source = _settings(cell), str(cell.source)
    name = str(settings.get("grade_id") or f"{question.id}_test")
    points = float(settings.get("points") or 0)
    question.points += points
    if AUTOTEST.search(source):
        draft.left_out.append(
            f"{question.id}: {name} is made by nbgrader's autotest: write a check"
        )
        return
    hidden = "".join(_without_markers(part) for part in HIDDEN.findall(source))
    visible = HIDDEN.sub("", source).strip()
    if visible:
        draft.add(new_cell("code", visible), question.id, "test")
    has_visible = "assert" in visible
    if hidden and has_visible:
        draft.left_out.append(
            f"{question.id}: {name}: its {points:g} points are halved between its visible "
            "and its hidden part"
        )
    share = points / 2 if hidden and has_visible else points
    if has_visible or not hidden:
        add_check(draft, question, DraftCheck(name, "", visible, share), modules)
    if hidden:
        body = f"{_setup(visible)}\n{hidden}"
        check = DraftCheck(f"{name}_hidden", "", body, share, hidden=True)
        add_check(draft, question, check, modules)


def _without_markers(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if "HIDDEN TESTS" not in line)


def _setup(visible: str) -> str:
    """What a hidden part may build on: the visible lines that are no assertions."""
    try:
        body = ast.parse(visible).body
    except SyntaxError:
        return ""
    return "\n".join(ast.unparse(node) for node in body if not isinstance(node, ast.Assert))


def _own_markers(draft: Draft, question: DraftQuestion, source: str) -> str:
    if OTHER_MARKERS.search(source):
        draft.left_out.append(f"{question.id}: its ANSWER markers became SOLUTION markers")
    return OTHER_MARKERS.sub(lambda m: m[1] + (BEGIN if m[2] == "BEGIN" else END), source)
