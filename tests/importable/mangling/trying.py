"""Grades a deformed hand-in and says what became of its points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from grader import grade
from grader.assignment import Assignment
from grader.errors import SubmissionError
from grader.records import Report
from mangling.bases import save, write
from mangling.combining import Deformed, deform_all
from mangling.judging import Difference, differences, gains
from mangling.records import Expected, HandIn, Saved

# What a refusal names.
REASON = "Python 2"


class Outcome(StrEnum):
    """What a deformation did: the word in the table's cell."""

    SAME = "same"
    LEFT_OPEN = "left open"
    TAKEN = "as expected"
    REFUSED = "refused"
    CHANGED = "CHANGED"
    GAINED = "GAINED"
    NOTHING = "–"


@dataclass(frozen=True)
class Trial:
    """One graded deformation; `details` are a line each."""

    outcome: Outcome
    names: tuple[str, ...]
    details: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the deformation did no more than it may."""
        return self.outcome not in (Outcome.CHANGED, Outcome.GAINED)


def graded(saved: Saved, assignment: Assignment) -> Report:
    """The report on a hand-in's files, written as they would arrive."""
    with TemporaryDirectory() as folder:
        return grade(assignment, write(saved, Path(folder)))


def baseline(hand_in: HandIn, assignment: Assignment) -> Report:
    """The report on a hand-in that is not deformed."""
    return graded(save(hand_in), assignment)


def attempt(
    names: Iterable[str],
    hand_in: HandIn,
    assignment: Assignment,
    before: Report,
    *,
    seed: int = 0,
    may_doubt: bool = False,
) -> Trial:
    """Deforms, grades and compares with the report from before.

    No deformation may earn points, and none may take them beyond what it is expected to. With
    `may_doubt`, as for wrong hand-ins, any question may be left to a person.
    """
    deformed = deform_all(names, hand_in, assignment, seed)
    if may_doubt and deformed.code is Expected.SAME:
        deformed = replace(deformed, code=Expected.OR_UNGRADED)
    if not deformed.names:
        return Trial(Outcome.NOTHING, (), tuple(deformed.passed_over.values()))
    try:
        after = graded(deformed.saved, assignment)
    except SubmissionError as error:
        refused = deformed.code is Expected.REFUSED and REASON in str(error)
        outcome = Outcome.REFUSED if refused else Outcome.CHANGED
        return Trial(outcome, deformed.names, (f"refused: {error}",))
    if gained := gains(before, after):
        return Trial(Outcome.GAINED, deformed.names, tuple(gained))
    found = differences(before, after, deformed)
    if deformed.code is Expected.REFUSED:
        said = any(REASON in text for text in (*after.notes, *map(str, found)))
        refused = said and after.score == 0 and not any(c.kept_from_person for c in found)
        outcome = Outcome.REFUSED if refused else Outcome.CHANGED
        return Trial(outcome, deformed.names, tuple(map(str, found)) or ("it was graded",))
    return _compared(deformed, found)


def _compared(deformed: Deformed, found: list[Difference]) -> Trial:
    lost = [difference for difference in found if not difference.allowed]
    details = tuple(map(str, lost or found))
    if lost:
        return Trial(Outcome.CHANGED, deformed.names, details)
    if not found:
        return Trial(Outcome.SAME, deformed.names)
    weak = Expected.ANYTHING in (deformed.code, deformed.text)
    return Trial(Outcome.TAKEN if weak else Outcome.LEFT_OPEN, deformed.names, details)
