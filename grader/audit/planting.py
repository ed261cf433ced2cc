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
from types import MappingProxyType

import cattrs
import nbformat
from cattrs.errors import BaseValidationError
from nbformat import NotebookNode

from grader.answer_files import release_files
from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.release import cell_question, cell_role
from grader.submission import Submission

NO_FILES: Mapping[str, str] = MappingProxyType({})
_SECTION = re.compile(r"^# %% +(\S+)[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A bug: `find`, which stands once in the question's answer or file, becomes `replace`.

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
    """Other right answers: the code that takes the place of each question's answer, or file."""

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

    A file is Python in percent format; `# %% 1.2b` opens the answer to 1.2b,
    and `# %% models/net.py` the text of a file that answers questions.

    Raises:
        AssignmentError: a file has no section, or one of an unknown question.
    """
    paths = sorted((assignment.folder / "variants").glob("*.py"))
    return tuple(_read_variant(path, assignment) for path in paths)


def plant(assignment: Assignment, *mutants: Mutant) -> Submission:
    """The solution with these bugs in it, each in the answer to another question.

    Raises:
        AssignmentError: the text to replace does not stand exactly once in the answer.
    """
    notebook, files = _hand_in(assignment), dict(assignment.solution_files)
    for mutant in mutants:
        _plant(assignment, mutant, notebook, files)
    more = f" and {len(mutants) - 1} more" if len(mutants) > 1 else ""
    return as_submission(notebook, mutants[0].name + more, files)


def _plant(
    assignment: Assignment, mutant: Mutant, notebook: NotebookNode, files: dict[str, str]
) -> None:
    path = assignment.question(mutant.question).file
    cells = [] if path else _answer_cells(notebook, mutant.question)
    texts = [files[path]] if path else [cell.source for cell in cells]
    if sum(text.count(mutant.find) for text in texts) != 1:
        raise AssignmentError(
            f"{assignment.slug}: mutant {mutant.name!r}: its text does not stand exactly once "
            f"in the answer to {mutant.question}"
        )
    if path:
        files[path] = files[path].replace(mutant.find, mutant.replace)
    for cell in cells:
        cell.source = cell.source.replace(mutant.find, mutant.replace)


def rewrite(assignment: Assignment, variant: Variant) -> Submission:
    """The solution with some answers written differently."""
    notebook, files = _hand_in(assignment), dict(assignment.solution_files)
    for identity, code in variant.answers.items():
        if identity in assignment.answer_files:
            files[identity] = f"{code}\n"
            continue
        first, *others = _answer_cells(notebook, identity)
        first.source = code
        for cell in others:
            cell.source = ""
    return as_submission(notebook, variant.name, files)


def solution_submission(assignment: Assignment) -> Submission:
    """The solution, as a student would hand it in."""
    return as_submission(_hand_in(assignment), "solution", assignment.solution_files)


def release_submission(assignment: Assignment) -> Submission:
    """The untouched release."""
    files = release_files(assignment.solution_files)
    return as_submission(assignment.release, "release", files)


def as_submission(
    notebook: NotebookNode, name: str, files: Mapping[str, str] = NO_FILES
) -> Submission:
    """A hand-in of this notebook and these files; a notebook without cells is left out."""
    contents = {path: text.encode() for path, text in files.items()}
    if not notebook.cells:
        return Submission(name, "", notebook, contents)
    contents[f"{name}.ipynb"] = nbformat.writes(notebook).encode()
    return Submission(name, f"{name}.ipynb", notebook, contents)


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
    for identity in answers.keys() - set(assignment.answer_files):
        if file := assignment.question(identity).file:
            raise AssignmentError(
                f"{path}: {identity} is answered by a file: open it by '# %% {file}'"
            )
    return Variant(path.stem, answers)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AssignmentError(f"{path}: {error.strerror}") from error
