"""An assignment while it is being made: cells, questions and checks, and how they are written."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import tomli_w
from nbformat import NotebookNode, v4

from grader.errors import UsageError
from grader.records import QuestionKind
from grader.release import without_magics

SLUG = re.compile(r"[a-z][a-z0-9_]*")
IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)


@dataclass
class DraftCheck:
    """One check: what is below its docstring, and what its marker says."""

    name: str
    description: str
    body: str
    points: float = 1.0
    hidden: bool = False


@dataclass
class DraftQuestion:
    """A question and its checks."""

    id: str
    title: str
    kind: QuestionKind
    points: float
    names: list[str] = field(default_factory=list)
    checks: list[DraftCheck] = field(default_factory=list)


@dataclass
class Draft:
    """An assignment that is not written yet. `left_out` says what could not be carried over."""

    title: str
    cells: list[NotebookNode] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, cell: NotebookNode, question: str = "", role: str = "") -> NotebookNode:
        """Appends a clean copy of a cell, with our metadata and an id that stays."""
        text = str(cell.source)
        made = v4.new_code_cell(text) if cell.cell_type == "code" else v4.new_markdown_cell(text)
        made.metadata = {"nn_grader": {"question": question, "role": role}} if question else {}
        stem = f"{identifier(question)}-{role}" if question else "cell"
        made.id = f"{stem}-{len(self.cells)}"[-64:]
        if attachments := cell.get("attachments"):
            made.attachments = attachments
        self.cells.append(made)
        return made


def new_cell(kind: str, source: str) -> NotebookNode:
    """A cell of this kind."""
    return v4.new_code_cell(source) if kind == "code" else v4.new_markdown_cell(source)


def identifier(text: str) -> str:
    """Letters, digits and underscores of a text, to begin with a letter."""
    name = re.sub(r"\W+", "_", text).strip("_") or "question"
    return name if name[0].isalpha() else f"q_{name}"


def require_new(folder: Path) -> str:
    """The assignment's name, which is its folder's.

    Raises:
        UsageError: the folder is there already, or its name is no name for a Python file.
    """
    slug = folder.name
    if not SLUG.fullmatch(slug):
        raise UsageError(
            f"{slug!r}: give the assignment a name of small letters, digits and underscores"
        )
    if folder.exists():
        raise UsageError(f"{folder} is there already")
    return slug


def assignment_files(draft: Draft, slug: str) -> dict[str, str]:
    """assignment.toml, solution.ipynb and the checks, by path."""
    notebook = v4.new_notebook(cells=draft.cells)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    }
    return {
        "assignment.toml": _toml(draft),
        "solution.ipynb": nbformat.writes(notebook) + "\n",
        f"checks/test_{slug}.py": _checks(draft),
    }


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes files below `folder`; returns their paths.

    Raises:
        UsageError: they cannot be written.
    """
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error}") from error
    return [folder / name for name in files]


def _toml(draft: Draft) -> str:
    content: dict[str, Any] = {"title": draft.title}
    if modules := _foreign_modules(draft.cells):
        content["requires"] = modules
    content["question"] = [
        {
            "id": q.id,
            "title": q.title,
            "kind": q.kind.value,
            "points": int(q.points) if float(q.points).is_integer() else q.points,
            **({"names": q.names} if q.names else {}),
        }
        for q in draft.questions
    ]
    return tomli_w.dumps(content)


def _foreign_modules(cells: Iterable[NotebookNode]) -> list[str]:
    """What the notebook imports and the grader does not bring along."""
    code = "\n".join(without_magics(str(c.source)) for c in cells if c.cell_type == "code")
    found = set(IMPORT.findall(code)) - set(sys.stdlib_module_names)
    return sorted(found - {"numpy", "scipy", "IPython"})


def _checks(draft: Draft) -> str:
    parts = [f'"""Checks of {draft.title}."""', "\n".join(_imports(draft))]
    for question in draft.questions:
        parts += [_check(question, check) for check in question.checks]
    return "\n\n".join(parts[:2]) + "".join(f"\n\n\n{part}" for part in parts[2:]) + "\n"


def _imports(draft: Draft) -> list[str]:
    """The imports of the checks' file, pytest's among those of other packages."""
    if "import pytest" in draft.imports:
        return draft.imports
    return [*draft.imports, "import pytest"]


def _check(question: DraftQuestion, check: DraftCheck) -> str:
    hidden = ", hidden=True" if check.hidden else ""
    body = "\n".join(f"    {line}" if line else "" for line in check.body.split("\n"))
    description = check.description.replace("\\", "\\\\").replace('"""', "'''")
    return (
        f'@pytest.mark.question("{question.id}", points={check.points:g}{hidden})\n'
        f'def test_{identifier(check.name)}(student):\n    """{description}"""\n{body}'
    )
