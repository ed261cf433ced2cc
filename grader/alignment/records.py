"""What an alignment says of a question: its cells, how sure that is, and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nbformat import NotebookNode

from grader.records import LEAST_CONFIDENCE, AnswerFile

MAX_SHOWN = 70


@dataclass(frozen=True)
class Evidence:
    """One reason to take cells for an answer, and how much it says alone, in [0, 1]."""

    text: str
    weight: float


@dataclass(frozen=True)
class AlignedAnswer:
    """A question's cells, by their numbers in the notebook that is run.

    `cells` are the answer, tests of the notebook's own included; `attempted`
    says whether any of them differs from the release, and `defines` whether one
    of the names that the question asks for got more than the release's stub.
    Empty `cells` with a `found` question mean that the student left nothing
    there. `experiments` are the code cells among them that the assignment marks
    so, and those of the student's own where it marks any. With `in_text`, a
    question of code is answered by text alone, which `cells` then hold as well.
    `files` are the parts of a file that answer it. `candidates` are cells that
    may be the answer where it is not sure which are, and `alternatives` the
    cells to try in place of `cells` where these do not get full marks.
    """

    question: str
    cells: tuple[int, ...]
    found: bool
    attempted: bool
    notes: tuple[str, ...] = ()
    experiments: tuple[int, ...] = ()
    in_text: bool = False
    files: tuple[AnswerFile, ...] = ()
    defines: bool = False
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[int, ...] = ()
    alternatives: tuple[tuple[int, ...], ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def confidence(self) -> float | None:
        """How sure it is that `cells` are the answer; None where cells answer nothing."""
        if self.doubts:
            return 0.0
        return combined(e.weight for e in self.evidence) if self.evidence else None

    @property
    def is_sure(self) -> bool:
        """Whether a failed check can be charged to the student."""
        return self.confidence is None or self.confidence >= LEAST_CONFIDENCE

    def in_kernel(self) -> AlignedAnswer:
        """The answer as a running kernel holds it, wherever its cells are."""
        sure = replace(self, evidence=(), doubts=(), alternatives=())
        return replace(sure, found=True, attempted=True)

    def first(self, end: int) -> int:
        """The boundary before the first cell, or the notebook's end."""
        return self.cells[0] if self.cells else end

    def last(self, end: int) -> int:
        """The boundary after the last cell, or the notebook's end."""
        return self.cells[-1] + 1 if self.cells else end


@dataclass(frozen=True)
class Arrangement:
    """A notebook as it is run, and each question's answer in it.

    Cells that hold several answers are run in parts, and Markdown that holds an
    answer's code is run as code. `origins` are the numbers of the cells in the
    notebook as it was handed in, one for each cell here; -1 for what was put in.
    """

    notebook: NotebookNode
    origins: tuple[int, ...]
    answers: Mapping[str, AlignedAnswer]
    notes: tuple[str, ...] = ()

    def handed_in(self, cells: Iterable[int]) -> tuple[int, ...]:
        """The cells' numbers in the notebook as it was handed in, each once."""
        return tuple(dict.fromkeys(self.origins[c] for c in cells if self.origins[c] >= 0))


def combined(weights: Iterable[float]) -> float:
    """How much independent evidence says in all: 1 - (1 - w1)(1 - w2)..."""
    return round(1.0 - math.prod(1.0 - weight for weight in weights), 2)


def first_line(source: str) -> str:
    """What a cell begins with, for somebody who has to find it."""
    line = next((line.strip() for line in source.splitlines() if line.strip()), "(empty)")
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 1]}…"
