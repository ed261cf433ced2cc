"""Hand-ins that an assignment makes of its own solution, to prove its checks.

A variant is a right answer written differently and must get full marks; a
mutant has one planted bug and must lose exactly the questions that it names.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cattrs
import nbformat
from cattrs.errors import BaseValidationError
from nbformat import NotebookNode

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.release import cell_question, cell_role
from grader.submission import Submission

_SECTION = re.compile(r"^# %% +(\S+)[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A bug: `find`, which stands once in the question's answer, becomes `replace`.

    `costs` are the questions that must lose points by it. `diagnosis` is the
    code that the report must name; without one, nothing is asked of the names.
    """

    name: str
    question: str
    find: str
    replace: str
    costs: tuple[str, ...]
    diagnosis: str = ""


@dataclass(frozen=True)
class Variant:
    """Other right answers: the code that takes the place of each question's answer."""

    name: str
    answers: Mapping[str, str]


def load_mutants(assignment: Assignment) -> tuple[Mutant, ...]:
    """The mutants in mutants.toml.

    Raises:
        AssignmentError: the file is missing or broken, or names an unknown question.
    """
    path = assignment.folder / "mutants.toml"
    converter = cattrs.Converter(forbid_extra_keys=True)
    try:
        written = tomllib.loads(_read(path)).get("mutant", [])
        mutants = converter.structure(written, tuple[Mutant, ...])
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{path}: {error}") from error
    except BaseValidationError as error:
        raise AssignmentError(f"{path}: {'; '.join(cattrs.transform_error(error))}") from error
    for mutant in mutants:
        for identity in (mutant.question, *mutant.costs):
            assignment.question(identity)
    return mutants


def load_variants(assignment: Assignment) -> tuple[Variant, ...]:
    """The variants in the folder variants/, one a file.

    A file is Python in percent format; `# %% 1.2b` opens the answer to 1.2b.

    Raises:
        AssignmentError: a file has no section, or one of an unknown question.
    """
    paths = sorted((assignment.folder / "variants").glob("*.py"))
    return tuple(_read_variant(path, assignment) for path in paths)


def plant(assignment: Assignment, mutant: Mutant) -> Submission:
    """The solution with one bug in it.

    Raises:
        AssignmentError: the text to replace does not stand exactly once in the answer.
    """
    notebook = _hand_in(assignment)
    cells = [c for c in _answer_cells(notebook, mutant.question) if mutant.find in c.source]
    if len(cells) != 1 or cells[0].source.count(mutant.find) != 1:
        raise AssignmentError(
            f"{assignment.slug}: mutant {mutant.name!r}: its text does not stand exactly once "
            f"in the answer to {mutant.question}"
        )
    cells[0].source = cells[0].source.replace(mutant.find, mutant.replace)
    return as_submission(notebook, mutant.name)


def rewrite(assignment: Assignment, variant: Variant) -> Submission:
    """The solution with some answers written differently."""
    notebook = _hand_in(assignment)
    for identity, code in variant.answers.items():
        first, *others = _answer_cells(notebook, identity)
        first.source = code
        for cell in others:
            cell.source = ""
    return as_submission(notebook, variant.name)


def solution_submission(assignment: Assignment) -> Submission:
    """The solution, as a student would hand it in."""
    return as_submission(_hand_in(assignment), "solution")


def release_submission(assignment: Assignment) -> Submission:
    """The untouched release."""
    return as_submission(assignment.release, "release")


def as_submission(notebook: NotebookNode, name: str) -> Submission:
    """A hand-in that consists of this notebook alone."""
    content = nbformat.writes(notebook).encode()
    return Submission(name, f"{name}.ipynb", notebook, {f"{name}.ipynb": content})


def _hand_in(assignment: Assignment) -> NotebookNode:
    """A copy of the solution that looks run: code handed out complete counts once it was."""
    notebook = copy.deepcopy(assignment.solution)
    for count, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.execution_count = count
    return notebook


def _answer_cells(notebook: NotebookNode, question: str) -> list[NotebookNode]:
    cells = [c for c in notebook.cells if cell_question(c) == question]
    answers = [c for c in cells if c.cell_type == "code" and cell_role(c) == "answer"]
    if not answers:
        raise AssignmentError(f"the solution has no code that answers {question}")
    return answers


def _read_variant(path: Path, assignment: Assignment) -> Variant:
    _, *sections = _SECTION.split(_read(path))
    answers = dict(zip(sections[::2], (code.strip() for code in sections[1::2]), strict=True))
    if not answers:
        raise AssignmentError(f"{path}: a variant needs sections that begin with '# %% QUESTION'")
    for identity in answers:
        assignment.question(identity)
    return Variant(path.stem, answers)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AssignmentError(f"{path}: {error.strerror}") from error
