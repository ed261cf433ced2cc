"""What a cell shows of where it belongs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from grader.alignment.code import (
    NO_CODE,
    Code,
    code_in_text,
    is_mostly_code,
    read_code,
    remark_in,
)
from grader.assignment import Assignment
from grader.release import TEXT_PLACEHOLDER, cell_question, cell_role, is_experiment

Label = tuple[str, str]

# What a heading calls its question, in the languages into which headings are translated.
_QUESTION = "|".join(
    (
        *("question", "exercise", "task", "problem", "assignment", "aufgabe", "übung", "frage"),
        *("opgave", "oefening", "vraag", "exercice", "ejercicio", "pregunta", "exercício"),
        *("esercizio", "domanda", "tehtävä", "uppgift", "oppgave", "zadanie", "úloha", "feladat"),
        *("soru", "soal", "задание", "упражнение", "вопрос", "تمرین", "سوال", "练习", "題", "题"),
    )
)
_SECTION = re.compile(
    rf"^#{{1,4}}\s*(?:(?:{_QUESTION})\s*|q)?(\d+(?:\.\d+)*)\b", re.IGNORECASE | re.MULTILINE
)
# "(a)", or "a)" where a line begins with it.
_LABEL = re.compile(r"^(?:[\s*_#>]*\(([a-z]|\d+)\)|[*_]*([a-z])\)\s)", re.IGNORECASE | re.MULTILINE)
_HEADING_LINE = re.compile(r"^\s*#.*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,4}\s", re.MULTILINE)
_PLACEHOLDER = re.compile(
    r"^[\W_]*(todo[\W_]*)?((type|write|your|put)\s+)*(answer|code|text)\s+here[\W_]*$"
)
_SPACE = re.compile(r"\s+")


@dataclass
class Cell:
    """A cell as evidence.

    `labels` are (section, letter); the section is "" where no heading says it.
    `code` is what a code cell does, or text that holds code, which `held_code`
    then is. `remark` is what a code cell says that does nothing.
    """

    kind: str
    identity: str
    question: str
    role: str
    source: str
    text: str
    labels: frozenset[Label]
    code: Code
    sections: tuple[str, ...]
    is_heading: bool
    was_run: bool
    is_experiment: bool
    has_body: bool
    held_code: str = ""
    remark: str = ""
    solution: str = field(default="", compare=False)
    solution_code: Code = NO_CODE

    @property
    def codes(self) -> tuple[Code, Code]:
        """What it does, and what the solution's cell does in its place."""
        return self.code, self.solution_code

    @property
    def is_prompt(self) -> bool:
        """Whether it asks a question."""
        return self.role == "prompt"

    @property
    def is_placeholder(self) -> bool:
        """Whether it is empty, or says no more than that an answer is to stand here."""
        if not self.text or self.text == TEXT_PLACEHOLDER:
            return True
        return bool(_PLACEHOLDER.match(self.text.lower()))

    @classmethod
    def of_submission(cls, cell: NotebookNode) -> Cell:
        """A cell as it was handed in; text that is hardly more than code counts as code."""
        source = str(cell.source)
        is_text = cell.cell_type != "code"
        held = code_in_text(source) if is_text else ""
        looks_like_text = is_text and not (held and is_mostly_code(source))
        code = read_code(held or source) if held or not is_text else NO_CODE
        does_nothing = not is_text and not (code.leaves or code.headers)
        return cls(
            kind=str(cell.cell_type) if looks_like_text else "code",
            identity=str(cell.get("id", "")),
            question=cell_question(cell),
            role=cell_role(cell),
            source=source,
            text=_SPACE.sub(" ", source if looks_like_text else held or source).strip(),
            labels=frozenset(("", a or b) for a, b in _LABEL.findall(source) if looks_like_text),
            code=code,
            sections=tuple(_SECTION.findall(source)) if looks_like_text else (),
            is_heading=looks_like_text and bool(_HEADING.search(source)),
            was_run=cell.get("execution_count") is not None or bool(cell.get("outputs")),
            is_experiment=not is_text and is_experiment(cell),
            has_body=bool(_HEADING_LINE.sub("", source).strip()),
            held_code=held,
            remark=remark_in(source) if does_nothing else "",
        )

    @classmethod
    def of_release(cls, cell: NotebookNode, solved: NotebookNode, assignment: Assignment) -> Cell:
        """A cell as it was handed out, with what the solution has in its place."""
        made = cls.of_submission(cell)
        made.labels = _own_section(made)
        if made.is_prompt:
            question = assignment.question(made.question)
            made.labels = frozenset([(question.section, question.label)])
        made.solution = _SPACE.sub(" ", str(solved.source)).strip()
        made.solution_code = read_code(str(solved.source)) if made.kind == "code" else NO_CODE
        return made


def released_cells(assignment: Assignment) -> list[Cell]:
    """The release's cells."""
    pairs = zip(assignment.release.cells, assignment.solution.cells, strict=True)
    return [Cell.of_release(cell, solved, assignment) for cell, solved in pairs]


def submitted_cells(notebook: NotebookNode) -> list[Cell]:
    """A hand-in's cells, their labels complete with the sections that they stand in."""
    cells = [Cell.of_submission(cell) for cell in notebook.cells]
    _add_sections(cells)
    return cells


def _add_sections(cells: Sequence[Cell]) -> None:
    """Completes each label with the section that it stands in; a heading labels its section."""
    section = ""
    for cell in cells:
        section = cell.sections[-1] if cell.sections else section
        cell.labels = frozenset((section, label) for _, label in cell.labels) | _own_section(cell)


def _own_section(cell: Cell) -> frozenset[Label]:
    """The label of a cell that begins with a numbered heading; answers number their parts, too."""
    begins = cell.kind != "code" and _SECTION.match(cell.text)
    return frozenset([(begins[1], "")]) if begins else frozenset()
