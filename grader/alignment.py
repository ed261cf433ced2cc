"""Which cells of a submission answer which question of the assignment.

The release's cells are matched with the submission's in order, by the most
evidence in all (ids, metadata, question labels, defined names, text). What
lies between a question's prompt and the next prompt or heading, and is not a
cell of the release that belongs elsewhere, is its answer. A question that a
file answers has no cells.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType

from nbformat import NotebookNode
from rapidfuzz import fuzz

from grader.answer_files import parts, readable, shows_work, whole
from grader.assignment import Assignment, Question, assigned_names
from grader.records import AnswerFile, QuestionKind
from grader.release import (
    TEXT_PLACEHOLDER,
    cell_question,
    cell_role,
    is_experiment,
    without_magics,
)

# Evidence that two cells are the same one. Identity beats labels, and a label
# with its section beats any likeness of texts.
SAME_METADATA = 12.0
SAME_ID = 10.0
SAME_LABEL = 6.0
SAME_NAMES = 4.0
LIKE_TEXT = 3.0
LEAST_LIKENESS = 0.55
LEAST_EVIDENCE = 1.2
NO_FILES: Mapping[str, bytes] = MappingProxyType({})
# How a note says that the answer may be elsewhere.
FOUND_BY_NAME = "found by the name it defines"
PLACE_UNCLEAR = "the answer's place in it is not clear"

_SECTION = re.compile(
    r"^#{1,4}\s*(?:(?:question|exercise|task|problem)\s+|q)?(\d+(?:\.\d+)*)\b",
    re.IGNORECASE | re.MULTILINE,
)
# "(a)", or "a)" where a line begins with it.
_LABEL = re.compile(r"^(?:[\s*_#>]*\(([a-z]|\d+)\)|[*_]*([a-z])\)\s)", re.IGNORECASE | re.MULTILINE)
_HEADING_LINE = re.compile(r"^\s*#.*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,4}\s", re.MULTILINE)
_PLACEHOLDER = re.compile(
    r"^[\W_]*(todo[\W_]*)?((type|write|your|put)\s+)*(answer|code|text)\s+here[\W_]*$"
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class AlignedAnswer:
    """A question's cells in the submission.

    `cells` are the answer, tests of the notebook's own included; `attempted`
    says whether any of them differs from the release. Empty `cells` with a
    `found` question mean that the student left nothing there. `experiments` are
    the code cells among them that the assignment marks so, and those of the
    student's own where it marks any. With `in_text`, a question of code is
    answered by text alone, which `cells` then hold as well. `files` are the
    parts of a file that answer it.
    """

    question: str
    cells: tuple[int, ...]
    found: bool
    attempted: bool
    notes: tuple[str, ...] = ()
    experiments: tuple[int, ...] = ()
    in_text: bool = False
    files: tuple[AnswerFile, ...] = ()

    def first(self, end: int) -> int:
        """The boundary before the first cell, or the notebook's end."""
        return self.cells[0] if self.cells else end

    def last(self, end: int) -> int:
        """The boundary after the last cell, or the notebook's end."""
        return self.cells[-1] + 1 if self.cells else end


def align(
    assignment: Assignment, notebook: NotebookNode | None, files: Mapping[str, bytes] = NO_FILES
) -> dict[str, AlignedAnswer]:
    """Every question's answer, by question id.

    `files` are those beside the notebook, by the paths that the assignment gives them.
    """
    in_cells = align_cells(assignment, notebook) if notebook else _no_cells(assignment)
    return {
        question.id: align_file(assignment, question, files)
        if question.file
        else in_cells[question.id]
        for question in assignment.questions
    }


def align_file(
    assignment: Assignment, question: Question, files: Mapping[str, bytes]
) -> AlignedAnswer:
    """The answer to a question that a file answers."""
    path = _handed_in(question, files)
    if path is None:
        note = f"{question.file} is not among the files"
        return AlignedAnswer(question.id, (), True, False, (note,))
    text = readable(files[path])
    if text is None or PurePosixPath(path).suffix != PurePosixPath(question.file).suffix:
        note = f"handed in as {path}, which is not shown here"
        return AlignedAnswer(question.id, (), True, True, (note,))
    others = assignment.places_beside(question)
    released = assignment.files[question.file].decode()
    attempted = shows_work(question.file, text, released, question.place, others)
    shown = parts(question.file, text, question.place, others)
    notes = () if shown else (f"{path} is shown as a whole: {PLACE_UNCLEAR}",)
    shown = shown or (whole(question.file, text),)
    return AlignedAnswer(question.id, (), True, attempted, notes, files=shown)


def _handed_in(question: Question, files: Mapping[str, bytes]) -> str | None:
    """The question's file; a text for a person may be in another folder or format."""
    if question.file in files or question.kind is QuestionKind.CODE:
        return question.file if question.file in files else None
    stem = PurePosixPath(question.file).stem.lower()
    return next((path for path in files if PurePosixPath(path).stem.lower() == stem), None)


def _no_cells(assignment: Assignment) -> dict[str, AlignedAnswer]:
    """What there is of answers in cells where no notebook was handed in."""
    note = "no notebook (.ipynb) is among the files"
    return {q.id: AlignedAnswer(q.id, (), True, False, (note,)) for q in assignment.questions}


def align_cells(assignment: Assignment, notebook: NotebookNode) -> dict[str, AlignedAnswer]:
    """The answers in a notebook's cells, to the questions that cells answer."""
    release = [_Cell.of_release(cell, assignment) for cell in assignment.release.cells]
    _add_sections(submitted := [_Cell.of_submission(cell) for cell in notebook.cells])
    matches = _match(release, submitted)
    known = {cell.text for cell in release}
    regions = _regions(release, submitted, matches)
    answers = {
        question.id: _answer(
            question,
            regions.get(question.part_of or question.id),
            release,
            submitted,
            matches,
            known,
        )
        for question in assignment.questions
        if not question.file
    }
    unmatched = [j for j in range(len(submitted)) if j not in matches.values()]
    own_text = [j for j in unmatched if _is_text(submitted[j], known)]
    return {
        identity: _with_text(answer, regions.get(identity, range(0)), own_text, assignment)
        for identity, answer in answers.items()
    }


# --- cells as evidence --------------------------------------------------------


@dataclass
class _Cell:
    kind: str
    identity: str
    question: str
    role: str
    text: str
    labels: frozenset[tuple[str, str]]
    names: frozenset[str]
    sections: tuple[str, ...]
    is_heading: bool
    was_run: bool
    is_experiment: bool
    has_body: bool

    @classmethod
    def of_release(cls, cell: NotebookNode, assignment: Assignment) -> _Cell:
        made = cls.of_submission(cell)
        made.labels = _own_section(made)
        if made.role == "prompt":
            question = assignment.question(made.question)
            made.labels = frozenset([(question.section, question.label)])
        return made

    @classmethod
    def of_submission(cls, cell: NotebookNode) -> _Cell:
        source = str(cell.source)
        is_text = cell.cell_type != "code"
        return cls(
            kind=str(cell.cell_type),
            identity=str(cell.get("id", "")),
            question=cell_question(cell),
            role=cell_role(cell),
            text=_SPACE.sub(" ", source).strip(),
            labels=frozenset(("", a or b) for a, b in _LABEL.findall(source) if is_text),
            names=frozenset() if is_text else _defined_names(source),
            sections=tuple(_SECTION.findall(source)) if is_text else (),
            is_heading=is_text and bool(_HEADING.search(source)),
            was_run=cell.get("execution_count") is not None or bool(cell.get("outputs")),
            is_experiment=not is_text and is_experiment(cell),
            has_body=bool(_HEADING_LINE.sub("", source).strip()),
        )


def _add_sections(cells: Sequence[_Cell]) -> None:
    """Completes each label with the section that it stands in; a heading labels its section."""
    section = ""
    for cell in cells:
        section = cell.sections[-1] if cell.sections else section
        cell.labels = frozenset((section, label) for _, label in cell.labels) | _own_section(cell)


def _own_section(cell: _Cell) -> frozenset[tuple[str, str]]:
    """The label of a cell that begins with a numbered heading; answers number their parts, too."""
    begins = cell.kind != "code" and _SECTION.match(cell.text)
    return frozenset([(begins[1], "")]) if begins else frozenset()


def _defined_names(source: str) -> frozenset[str]:
    try:
        with warnings.catch_warnings():
            # Python has things to say about students' "\\sigma", but not to us.
            warnings.simplefilter("ignore")
            tree = ast.parse(without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=(?!=)", source, re.MULTILINE)
        return frozenset(name for pair in found for name in pair if name)
    return frozenset(name for node in tree.body for name in _names_of(node))


def _names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return assigned_names(node)


# --- matching -----------------------------------------------------------------


def _evidence(ours: _Cell, theirs: _Cell) -> float:
    """How much speaks for `theirs` being the release's cell `ours`."""
    if (ours.kind == "code") != (theirs.kind == "code"):
        return 0.0
    score = 0.0
    if ours.question and (ours.question, ours.role) == (theirs.question, theirs.role):
        score += SAME_METADATA
    if ours.identity and ours.identity == theirs.identity:
        score += SAME_ID
    if ours.labels & theirs.labels:
        score += SAME_LABEL
    if ours.names and theirs.names:
        score += SAME_NAMES * len(ours.names & theirs.names) / len(ours.names | theirs.names)
    likeness = fuzz.ratio(ours.text, theirs.text, score_cutoff=100 * LEAST_LIKENESS) / 100
    return score + LIKE_TEXT * likeness


def _match(release: Sequence[_Cell], submitted: Sequence[_Cell]) -> dict[int, int]:
    """The matching in order with the most evidence: release cell -> submitted cell."""
    rows, columns = len(release), len(submitted)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    paired = [[False] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            evidence = _evidence(release[i], submitted[j])
            both = best[i + 1][j + 1] + evidence if evidence >= LEAST_EVIDENCE else -1.0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
            paired[i][j] = both >= best[i][j]
    return _trace(best, paired)


def _trace(best: list[list[float]], paired: list[list[bool]]) -> dict[int, int]:
    matches: dict[int, int] = {}
    i = j = 0
    while i < len(best) - 1 and j < len(best[0]) - 1:
        if paired[i][j]:
            matches[i] = j
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return matches


# --- answers ------------------------------------------------------------------


def _regions(
    release: Sequence[_Cell], submitted: Sequence[_Cell], matches: dict[int, int]
) -> dict[str, range]:
    """The cells after each prompt, up to the next prompt or heading of the release's."""
    owners = {j: release[i] for i, j in matches.items()}
    prompts = {j: owner.question for j, owner in owners.items() if owner.role == "prompt"}
    headings = {j for j, owner in owners.items() if owner.is_heading and not owner.question}
    ends = sorted({*prompts, *headings, len(submitted)})
    return {
        question: range(start + 1, next(end for end in ends if end > start))
        for start, question in prompts.items()
    }


def _answer(
    question: Question,
    region: range | None,
    release: Sequence[_Cell],
    submitted: Sequence[_Cell],
    matches: dict[int, int],
    known: set[str],
) -> AlignedAnswer:
    owners = {j: release[i] for i, j in matches.items()}
    cells = [j for j in region or () if _belongs(question, submitted[j], owners.get(j))]
    notes: tuple[str, ...] = ()
    if not cells and question.names:
        cells = [j for j, cell in enumerate(submitted) if cell.names & set(question.names)][-1:]
        if cells:
            notes = (f"{FOUND_BY_NAME}, in cell {cells[0]}",)
    attempted = any(_is_attempt(submitted[j], owners.get(j), known) for j in cells)
    found = region is not None or bool(cells)
    marks = any(cell.is_experiment and cell.question == question.id for cell in release)
    code = [j for j in cells if submitted[j].kind == "code"] if marks else []
    experiments = [j for j in code if j not in owners or owners[j].is_experiment]
    return AlignedAnswer(question.id, tuple(cells), found, attempted, notes, tuple(experiments))


def _with_text(
    answer: AlignedAnswer, region: range, own_text: Sequence[int], assignment: Assignment
) -> AlignedAnswer:
    """A question of code that nothing but text answers is for a person to judge."""
    is_code = assignment.question(answer.question).kind is QuestionKind.CODE
    has_part = any(q.part_of == answer.question for q in assignment.questions)
    text = [j for j in own_text if j in region]
    if not is_code or has_part or answer.attempted or not text:
        return answer
    return replace(answer, cells=tuple(sorted({*answer.cells, *text})), in_text=True)


def _belongs(question: Question, cell: _Cell, owner: _Cell | None) -> bool:
    """Whether a cell in a question's region is part of its answer."""
    if owner is not None and owner.question != question.id:
        return False
    if question.part_of:
        return cell.kind != "code"
    return cell.kind == "code" or question.markdown or question.kind is not QuestionKind.CODE


def _is_text(cell: _Cell, known: set[str]) -> bool:
    """Whether a cell is text of the student's own, more than a heading."""
    is_heading = cell.text.startswith("#") and not cell.has_body
    return cell.kind != "code" and not is_heading and _is_attempt(cell, None, known)


def _is_attempt(cell: _Cell, owner: _Cell | None, known: set[str]) -> bool:
    """Whether a cell shows work: code handed out complete must have been run."""
    if owner is not None and owner.role in ("given", "test"):
        return owner.role == "given" and cell.was_run
    if not cell.text or cell.text == TEXT_PLACEHOLDER or _PLACEHOLDER.match(cell.text.lower()):
        return False
    return cell.text not in known
