"""A hand-in read against the release: where each cell stands, and what is new in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.alignment.cells import Cell
from grader.alignment.code import Definition
from grader.alignment.matching import NOWHERE, Likeness, Place, compare, match
from grader.assignment import Assignment, Question
from grader.records import QuestionKind

# Shorter words, and fewer of them, say nothing of what a text is about.
_WORD = re.compile(r"[^\W\d_]{4,}")
LEAST_WORDS = 5


@dataclass(frozen=True, eq=False)
class Reading:
    """`cells` of a hand-in, each with its place in the release.

    `parts` are those that stand in one cell with the answer to another question.
    """

    assignment: Assignment
    release: Sequence[Cell]
    cells: Sequence[Cell]
    likeness: Likeness
    places: Sequence[Place]
    parts: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        release: Sequence[Cell],
        cells: Sequence[Cell],
        parts: Collection[int] = (),
    ) -> Reading:
        """Matches the cells with the release's; `parts` are of cells that were taken apart."""
        asked = frozenset(name for question in assignment.questions for name in question.names)
        likeness = compare(release, cells, asked)
        return cls(assignment, release, cells, likeness, match(likeness), frozenset(parts))

    # Where cells stand

    def owner(self, j: int) -> Cell | None:
        """The release's cell that a cell is, if it is one."""
        return self.release[self.places[j].at] if self.places[j].matched else None

    @cached_property
    def matched(self) -> dict[int, int]:
        """Which cell each of the release's is."""
        return {place.at: j for j, place in enumerate(self.places) if place.matched}

    @cached_property
    def _release_regions(self) -> list[str]:
        """The question below whose prompt each of the release's cells stands."""
        regions, current = [], ""
        for cell in self.release:
            if cell.is_prompt:
                current = cell.question
            elif cell.is_heading and not cell.question:
                current = ""
            regions.append(cell.question or current)
        return regions

    def region(self, j: int) -> str:
        """The id of the question below whose prompt a cell stands, or `""`."""
        return self._regions[j]

    @cached_property
    def _regions(self) -> list[str]:
        # A part has no prompt of its own.
        whole = {q.id: q.part_of or q.id for q in self.assignment.questions}
        found = (self._release_regions[p.at] if p.at != NOWHERE else "" for p in self.places)
        return [whole.get(question, "") for question in found]

    def prompt(self, question: Question) -> int | None:
        """The cell that is the question's prompt."""
        asked = question.part_of or question.id
        at = (i for i, c in enumerate(self.release) if c.is_prompt and c.question == asked)
        return next((self.matched[i] for i in at if i in self.matched), None)

    def own_cells(self, question: Question) -> list[int]:
        """The release's cells of a question, by their numbers there; its prompt is none of them."""
        return [
            i for i, c in enumerate(self.release) if c.question == question.id and not c.is_prompt
        ]

    def below(self, question: Question) -> list[int]:
        """The cells that stand where the question is answered, and are of the kind to answer it."""
        region = question.part_of or question.id
        here = [j for j in range(len(self.cells)) if self.region(j) == region]
        return [j for j in here if self._belongs(question, j)]

    def are_below(self, prompt: int, cells: Sequence[int]) -> bool:
        """Whether some of the cells stand below a prompt, with no other prompt between."""
        prompts = [j for i, j in self.matched.items() if self.release[i].is_prompt and j > prompt]
        return any(prompt <= j < min(prompts, default=len(self.cells)) for j in cells)

    def _belongs(self, question: Question, j: int) -> bool:
        cell, owner = self.cells[j], self.owner(j)
        if owner is not None and (owner.question != question.id or owner.is_prompt):
            return False
        if question.part_of:
            return cell.kind != "code" or bool(cell.remark)
        is_code = question.kind is QuestionKind.CODE and not question.markdown
        return cell.kind == "code" or not is_code

    # What is new

    @cached_property
    def _known_texts(self) -> frozenset[str]:
        return frozenset(cell.text for cell in self.release)

    @cached_property
    def _known_code(self) -> list[frozenset[str]]:
        return [c.code.leaves | c.code.headers for c in self.release if c.kind == "code"]

    @cached_property
    def is_recorded(self) -> bool:
        """Whether the hand-in says of any cell that it was run: outputs may have been cleared."""
        return any(cell.was_run for cell in self.cells)

    @cached_property
    def has_own_code(self) -> bool:
        """Whether any code of the hand-in is the student's own."""
        return any(c.kind == "code" and self.is_own(j) for j, c in enumerate(self.cells))

    def is_own(self, j: int) -> bool:
        """Whether a cell holds more than the release has: it was written, not only run."""
        return self._are_own[j]

    @cached_property
    def _are_own(self) -> list[bool]:
        return [self._is_more(j) for j in range(len(self.cells))]

    def _is_more(self, j: int) -> bool:
        cell = self.cells[j]
        if cell.is_placeholder or cell.text in self._known_texts:
            return False
        if cell.kind != "code" or not cell.code.can_be_parsed:
            return True
        owner = self.owner(j)
        if not cell.code.leaves or (owner and cell.code.leaves <= owner.code.leaves):
            return False
        lines = cell.code.leaves | cell.code.headers
        return not any(lines <= known for known in self._known_code)

    def is_own_text(self, j: int) -> bool:
        """Whether a cell is text of the student's own, more than a heading."""
        cell = self.cells[j]
        is_heading = cell.text.startswith("#") and not cell.has_body
        return cell.kind != "code" and not is_heading and self.is_own(j)

    def is_own_remark(self, j: int) -> bool:
        """Whether a cell of code does nothing but say something of the student's own."""
        said = {line for line in self.cells[j].remark.splitlines() if any(map(str.isalnum, line))}
        is_new = bool(said - self._known_remarks)
        return is_new and not self.cells[j].is_placeholder

    @cached_property
    def _known_remarks(self) -> frozenset[str]:
        lines = (line for cell in self.release for line in cell.source.splitlines())
        return frozenset(line.strip(" \t#\"'") for line in lines)

    def is_attempted(self, question: Question, cells: Collection[int]) -> bool:
        """Whether one of the cells shows work; what a person reads may stand in comments."""
        takes_remarks = question.kind is not QuestionKind.CODE
        said = takes_remarks and any(self.is_own_remark(j) for j in cells)
        return said or any(self._shows_work(j) for j in cells)

    def _shows_work(self, j: int) -> bool:
        """Whether a cell shows work: code handed out complete must have been run."""
        cell, owner = self.cells[j], self.owner(j)
        if owner is not None and owner.role == "test":
            return False
        if owner is not None and owner.role == "given":
            changed = self.is_own(j) and bool(cell.code.leaves - owner.code.leaves)
            # Where outputs were cleared, whoever wrote code will have run what was given, too.
            return cell.was_run or changed or (not self.is_recorded and self.has_own_code)
        return self.is_own(j)

    def new_definitions(self, j: int, names: Sequence[str]) -> list[Definition]:
        """What a cell makes of these names beyond the release's stubs."""
        code = self.cells[j].code
        return [
            d for d in code.definitions if d.name in names and d.is_more_than(self.stub(d.name))
        ]

    def stub(self, name: str) -> frozenset[str]:
        """The lines with which the release itself defines a name."""
        found = self._stubs.get(name)
        return frozenset() if found is None else found

    @cached_property
    def _stubs(self) -> dict[str, frozenset[str]]:
        stubs: dict[str, frozenset[str]] = {}
        for cell in self.release:
            for definition in cell.code.definitions:
                stubs[definition.name] = stubs.get(definition.name, frozenset()) | definition.leaves
        return stubs

    @cached_property
    def bound(self) -> frozenset[str]:
        """All names that code of the hand-in binds at its top level."""
        return frozenset[str]().union(*(cell.code.names for cell in self.cells))

    # How like the solution

    def code_likeness(self, j: int, question: Question) -> float:
        """How much of a cell's code is like the question's, as handed out or as solved, in [0, 1].

        A cell that is no more like it than like another question's says nothing.
        """
        lines = self.cells[j].code.leaves
        own = [i for i in self.own_cells(question) if self.release[i].kind == "code"]
        solved = [self.release[i].solution_code.leaves for i in own]
        shared = max((_share(lines, known) for known in solved), default=0.0)
        return max([shared, *(float(self.likeness.texts[i, j]) for i in own)])

    def text_likeness(self, j: int, question: Question) -> float:
        """How much of a text's vocabulary is the question's, in [0, 1]."""
        asked = question.part_of or question.id
        own = [c for c in self.release if c.question in (asked, question.id) and c.kind != "code"]
        theirs = _words(" ".join(f"{c.text} {c.solution}" for c in own))
        words = _words(self.cells[j].text)
        return len(words & theirs) / len(words) if len(words) >= LEAST_WORDS else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _share(lines: frozenset[str], known: frozenset[str]) -> float:
    return len(lines & known) / max(len(lines | known), 1)
