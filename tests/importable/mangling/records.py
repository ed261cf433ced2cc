"""A hand-in that deformations change, and what a deformation is.

A deformation is a pure function of a hand-in, its assignment and a random generator. It
carries its name, one line that says what it does, the stage at which it is applied among
others, and what it may do to the points.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from random import Random
from typing import Any

from grader.assignment import Assignment


class NotApplicableError(Exception):
    """The hand-in has nothing that the deformation could change; the sentence says what."""


class Expected(StrEnum):
    """What a deformation may do to a question.

    `same`: neither points nor status change. `or_ungraded`: it may be left to a person, and
    then says so. `anything`: the deformation takes the answer away. `refused`: the hand-in
    cannot be graded, and the reason is said.
    """

    SAME = "same"
    OR_UNGRADED = "or_ungraded"
    ANYTHING = "anything"
    REFUSED = "refused"


class Stage(IntEnum):
    """When a deformation is applied: what a student writes first, how it is sent last."""

    CODE = 1
    NAMES = 2
    TEXT = 3
    LAYOUT = 4
    SURROUNDINGS = 5
    METADATA = 6
    FILES = 7
    PACKING = 8


@dataclass(frozen=True)
class Cell:
    """One cell. `question` and `role` are what is known of it, whatever its metadata says.

    `role` is `prompt`, `answer`, `given`, `test` or `""`; `stub` is what the release has in
    an answer's place.
    """

    kind: str
    source: str
    question: str = ""
    role: str = ""
    stub: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""
    outputs: tuple[Any, ...] = ()
    count: int | None = None

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return self.kind == "code"


@dataclass(frozen=True)
class HandIn:
    """A notebook and the files beside it, as a student's editor has them open.

    `name` is the notebook's path, `""` where there is none; `answer_files` are the paths of
    the files that answer questions; `version` is the nbformat in which it will be saved.
    """

    name: str
    cells: tuple[Cell, ...]
    files: Mapping[str, bytes]
    answer_files: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    version: tuple[int, int] = (4, 5)

    def with_cells(self, cells: Sequence[Cell]) -> HandIn:
        """The same with these cells."""
        return replace(self, cells=tuple(cells))

    def map_cells(self, change: Callable[[Cell], Cell]) -> HandIn:
        """The same with each cell changed."""
        return self.with_cells([change(cell) for cell in self.cells])


@dataclass(frozen=True)
class Saved:
    """A hand-in as files; `name` is the notebook's path, or its stand-in's."""

    name: str
    files: Mapping[str, bytes]


Change = Callable[[Any, Assignment, Random], Any]


@dataclass(frozen=True)
class Deformation:
    """A deformation: `apply` is given a `HandIn`, or from `Stage.FILES` on a `Saved`.

    `code` and `text` say what may become of the questions that code answers and of the
    others. Of one `group`, only one makes sense at a time.
    """

    name: str
    says: str
    stage: Stage
    apply: Change
    code: Expected = Expected.SAME
    text: Expected = Expected.SAME
    group: str = ""


DEFORMATIONS: dict[str, Deformation] = {}


def deformation(
    stage: Stage,
    *,
    code: Expected = Expected.SAME,
    text: Expected = Expected.SAME,
    group: str = "",
) -> Callable[[Change], Change]:
    """Registers a function as a deformation, under its name and with its docstring's line."""

    def register(change: Change) -> Change:
        says = (inspect.getdoc(change) or "").splitlines()[0]
        name = change.__name__
        DEFORMATIONS[name] = Deformation(name, says, stage, change, code, text, group)
        return change

    return register
