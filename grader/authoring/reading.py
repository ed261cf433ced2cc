"""What both importers need of a notebook's cells."""

from __future__ import annotations

import ast
import re

from nbformat import NotebookNode

from grader.assignment import assigned_names
from grader.authoring.draft import Draft, DraftCheck, DraftQuestion
from grader.authoring.translating import CannotTranslate, description_of, translated
from grader.errors import AssignmentError
from grader.release import without_magics

HEADING = re.compile(r"^#+\s*(.+)$", re.MULTILINE)
# What checks may import as the notebook does.
SHARED_MODULES = {"numpy", "math", "itertools", "random", "scipy", "pandas", "sklearn", "inspect"}


def title_of(text: str, otherwise: str) -> str:
    """A question's title: a heading of its prompt, or its first line."""
    heading = HEADING.search(text)
    lines = [line for line in text.splitlines() if line.strip(" -")]
    line = heading[1] if heading else (lines[0] if lines else otherwise)
    plain = re.sub(r"[*_`$#]|<[^>]*>", "", line).strip()
    return plain[:80] or otherwise


def notebook_title(cells: list[NotebookNode], otherwise: str) -> str:
    """The first heading of a notebook."""
    for cell in cells:
        heading = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            return heading[1].strip()
    return otherwise


def names_of(code: str) -> list[str]:
    """What an answer defines at its top level."""
    try:
        body = ast.parse(without_magics(code)).body
    except SyntaxError:
        return []
    defined = (ast.FunctionDef, ast.ClassDef)
    names = [
        n
        for node in body
        for n in ([node.name] if isinstance(node, defined) else assigned_names(node))
    ]
    return list(dict.fromkeys(names))


def shared_imports(cells: list[NotebookNode]) -> tuple[list[str], set[str]]:
    """The notebook's imports that checks can make too, and the names that they bind."""
    lines, names = [], set()
    for cell in cells:
        for node in _statements(cell):
            if isinstance(node, ast.Import | ast.ImportFrom) and _is_shared(node):
                lines.append(ast.unparse(node))
                names |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return sorted(set(lines)), names


def add_check(
    draft: Draft,
    question: DraftQuestion,
    check: DraftCheck,
    modules: set[str],
    expected: str | None = None,
) -> None:
    """Translates a test and adds it to its question, or says why it cannot be.

    `check.body` is the test's code.
    """
    description = check.description or description_of(check.body)
    check.description = description or f"The notebook's test {check.name} passes."
    try:
        check.body = translated(check.body, modules, expected)
    except CannotTranslate as error:
        draft.left_out.append(
            f"{question.id}: the test {check.name} ({check.points:g} points): {error}; "
            "write a check for it"
        )
    else:
        taken = {c.name for q in draft.questions for c in q.checks}
        check.name = next(n for n in _candidates(check.name) if n not in taken)
        question.checks.append(check)


def require_unique(draft: Draft) -> None:
    """Sees to it that every question has an id of its own.

    Raises:
        AssignmentError: two have the same.
    """
    seen: set[str] = set()
    for question in draft.questions:
        if question.id in seen:
            raise AssignmentError(f"the notebook has two questions with the id {question.id}")
        seen.add(question.id)


def _candidates(name: str) -> list[str]:
    return [name, *(f"{name}_{count}" for count in range(2, 1000))]


def _statements(cell: NotebookNode) -> list[ast.stmt]:
    if cell.cell_type != "code":
        return []
    try:
        return ast.parse(without_magics(str(cell.source))).body
    except SyntaxError:
        return []


def _is_shared(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in SHARED_MODULES
    return all(alias.name.split(".")[0] in SHARED_MODULES for alias in node.names)
