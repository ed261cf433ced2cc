"""Reads an assignment's notebook of otter's: the author's, or what students get of it.

The author's has raw cells `# BEGIN QUESTION` with YAML (otter assign, format
v1); the students' has its visible tests in `metadata.otter`, and no solutions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from nbformat import NotebookNode

from grader.authoring.draft import Draft, DraftCheck, DraftQuestion, new_cell
from grader.authoring.otter_code import (
    as_statements,
    split_test,
    student_tests,
    with_own_markers,
)
from grader.authoring.reading import (
    add_check,
    names_of,
    notebook_title,
    require_unique,
    shared_imports,
    title_of,
)
from grader.errors import AssignmentError
from grader.records import QuestionKind

BOUNDARY = re.compile(
    r"\A#\s*(BEGIN|END|ASSIGNMENT)\s+(QUESTION|PROMPT|SOLUTION|TESTS|CONFIG)\b[^\n]*\n?"
)
MACHINERY = re.compile(r"^\s*(import otter\b|grader\s*=|grader\.)", re.MULTILINE)
CHECKED = re.compile(r"grader\.check\(\s*['\"]([^'\"]+)['\"]\s*\)")
COMMENTS = re.compile(r"<!--\s*(BEGIN|END) QUESTION\s*-->\s*", re.IGNORECASE)
ANSWER_TAG = "otter_answer_cell"


@dataclass
class _Question:
    """A question while its blocks are read."""

    settings: dict[str, Any]
    prompts: list[NotebookNode] = field(default_factory=list)
    answers: list[NotebookNode] = field(default_factory=list)
    tests: list[NotebookNode] = field(default_factory=list)


def is_otter_source(notebook: NotebookNode) -> bool:
    """Whether it is an author's notebook for otter assign."""
    return any(_boundary(cell)[0] == "BEGIN QUESTION" for cell in notebook.cells)


def is_otter_release(notebook: NotebookNode) -> bool:
    """Whether it is a students' notebook with tests in its metadata."""
    return bool(student_tests(notebook))


def read_otter_source(notebook: NotebookNode, otherwise: str) -> Draft:
    """An assignment from an author's notebook.

    Raises:
        AssignmentError: a block is not closed, or its YAML is broken.
    """
    draft = Draft(notebook_title(notebook.cells, otherwise))
    draft.imports, modules = shared_imports(notebook.cells)
    question: _Question | None = None
    block = ""
    for index, cell in enumerate(notebook.cells):
        kind, settings = _boundary(cell)
        if kind == "ASSIGNMENT CONFIG":
            _read_settings(draft, settings)
        elif kind == "BEGIN QUESTION":
            question, block = _Question(settings), "PROMPT"
        elif kind == "END QUESTION":
            if question is None:
                raise AssignmentError(f"cell {index}: END QUESTION without its BEGIN")
            _add(draft, question, modules)
            question = None
        elif kind:
            block = kind.split()[1] if kind.startswith("BEGIN") else "PROMPT"
        elif question is not None:
            _cells_of(question, block).append(cell)
        elif cell.cell_type != "raw":
            draft.add(cell)
    if question is not None:
        raise AssignmentError("the notebook ends before the question's END QUESTION")
    require_unique(draft)
    return draft


def read_otter_release(notebook: NotebookNode, otherwise: str) -> Draft:
    """An assignment from a students' notebook: its answers are still to be written."""
    draft = Draft(notebook_title(notebook.cells, otherwise))
    draft.imports, modules = shared_imports(notebook.cells)
    tests = student_tests(notebook)
    draft.left_out.append("the solutions: write them between the markers in solution.ipynb")
    draft.left_out.append("hidden tests, which are not in a students' notebook")
    waiting: list[NotebookNode] = []
    for cell in notebook.cells:
        match = CHECKED.search(str(cell.source))
        if match and match[1] in tests:
            _add_released(draft, match[1], tests[match[1]], waiting, modules)
            waiting = []
        elif not MACHINERY.search(str(cell.source)):
            waiting.append(_without_comments(cell))
    for cell in waiting:
        draft.add(cell)
    require_unique(draft)
    return draft


def _boundary(cell: NotebookNode) -> tuple[str, dict[str, Any]]:
    """A raw cell's kind, such as `BEGIN TESTS`, and its YAML."""
    match = BOUNDARY.match(str(cell.source)) if cell.cell_type == "raw" else None
    if match is None:
        return "", {}
    try:
        settings = yaml.safe_load(str(cell.source)[match.end() :]) or {}
    except yaml.YAMLError as error:
        raise AssignmentError(
            f"a raw cell {match[0].strip()!r} has broken YAML: {error}"
        ) from error
    return f"{match[1]} {match[2]}", settings if isinstance(settings, dict) else {}


def _read_settings(draft: Draft, settings: dict[str, Any]) -> None:
    draft.title = str(settings.get("name") or draft.title)
    files = [*(settings.get("files") or []), *(settings.get("student_files") or [])]
    if files:
        draft.left_out.append(f"its files: copy {', '.join(map(str, files))} into files/")
    known = {"name", "files", "student_files"}
    if others := sorted(settings.keys() - known):
        draft.left_out.append(f"otter's settings {', '.join(others)}")


def _cells_of(question: _Question, block: str) -> list[NotebookNode]:
    return {"SOLUTION": question.answers, "TESTS": question.tests}.get(block, question.prompts)


def _add(draft: Draft, found: _Question, modules: set[str]) -> None:
    settings = found.settings
    identity = str(settings.get("name") or f"q{len(draft.questions) + 1}")
    is_written = bool(settings.get("manual")) or not found.tests
    kind = QuestionKind.WRITTEN if is_written else QuestionKind.CODE
    prompts = found.prompts or [new_cell("markdown", f"**{identity}**")]
    title = title_of(prompts[0].source, identity)
    question = DraftQuestion(identity, title, kind, _points(settings.get("points"), 1.0))
    draft.questions.append(question)
    if settings.get("all_or_nothing"):
        draft.left_out.append(f"{identity}: all_or_nothing: here each check gives its own points")
    for place, cell in enumerate(prompts):
        is_prompt = place == 0
        draft.add(cell, identity if is_prompt else "", "prompt" if is_prompt else "")
    _add_answers(draft, question, found.answers)
    if kind is QuestionKind.CODE:
        _add_tests(draft, question, found, modules)
    elif found.tests:
        draft.left_out.append(f"{identity}: it is graded by hand, so its tests were left out")


def _add_answers(draft: Draft, question: DraftQuestion, answers: list[NotebookNode]) -> None:
    if not answers:
        draft.left_out.append(f"{question.id}: it has no solution: write one")
        answers = [new_cell("markdown", "*No solution was given.*")]
    for cell in answers:
        added = draft.add(cell, question.id, "answer")
        if cell.cell_type == "code":
            added.source, notes = with_own_markers(added.source)
            draft.left_out += [f"{question.id}: {note}" for note in notes]
            question.names += names_of(added.source)


def _add_tests(draft: Draft, question: DraftQuestion, found: _Question, modules: set[str]) -> None:
    tests = [(cell, *split_test(str(cell.source))) for cell in found.tests if cell.source.strip()]
    given = found.settings.get("points")
    shares = _shares(None if given is None else question.points, [s for _, s, _ in tests])
    question.points = round(sum(shares), 6)
    for number, ((cell, settings, code), share) in enumerate(zip(tests, shares, strict=True), 1):
        name = str(settings.get("name") or f"{question.id}_{number}")
        hidden = bool(settings.get("hidden"))
        check = DraftCheck(name, "", as_statements(code), share, hidden)
        add_check(draft, question, check, {*modules, "student"}, _shown(cell))
        if not hidden:
            draft.add(new_cell("code", code), question.id, "test")


def _shares(total: float | None, settings: list[dict[str, Any]]) -> list[float]:
    """The points of each test, as otter shares them: what is not said for one is split evenly."""
    said = [None if s.get("points") is None else _points(s["points"], 0.0) for s in settings]
    sum_said = sum(points for points in said if points is not None)
    unsaid = said.count(None)
    if total is None:
        total = sum_said or 1.0
    rest = max(0.0, total - sum_said) / unsaid if unsaid else 0.0
    return [round(rest, 6) if points is None else points for points in said]


def _points(value: Any, otherwise: float) -> float:
    if isinstance(value, dict):
        value = value.get("each", value.get("total"))
    if isinstance(value, list):
        return float(sum(value))
    return float(value) if isinstance(value, int | float) else otherwise


def _shown(cell: NotebookNode) -> str | None:
    """What a test's last expression showed when its author ran it."""
    for output in cell.get("outputs", []):
        if output.get("output_type") == "execute_result":
            text = output.get("data", {}).get("text/plain")
            return "".join(text) if isinstance(text, list) else text
    return None


def _add_released(
    draft: Draft, name: str, test: dict[str, Any], waiting: list[NotebookNode], modules: set[str]
) -> None:
    """Before `grader.check(name)` stand the prompt, which is the last text, and the answer."""
    texts = [place for place, cell in enumerate(waiting) if cell.cell_type == "markdown"]
    first = texts[-1] if texts else len(waiting)
    for cell in waiting[:first]:
        draft.add(cell)
    prompt = waiting[first] if texts else new_cell("markdown", f"**{name}**")
    question = DraftQuestion(name, title_of(prompt.source, name), QuestionKind.CODE, 0.0)
    draft.questions.append(question)
    draft.add(prompt, name, "prompt")
    for cell in waiting[first + 1 :]:
        added = draft.add(cell, name, "answer")
        question.names += names_of(added.source)
    cases = test["cases"]
    total = _points(test.get("points"), 1.0)
    shares = _shares(total, cases)
    question.points = round(sum(shares), 6)
    for number, (case, share) in enumerate(zip(cases, shares, strict=True), 1):
        check = DraftCheck(f"{name}_{number}", "", case["code"], share, bool(case.get("hidden")))
        add_check(draft, question, check, {*modules, "student"})


def _without_comments(cell: NotebookNode) -> NotebookNode:
    return new_cell(cell.cell_type, COMMENTS.sub("", str(cell.source)))
