"""Where a name has several definitions and no place tells which counts, tries them in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.alignment import AlignedAnswer
from grader.checks.outcome import CheckOutcome
from grader.checks.running import run_checks
from grader.scoring import earned_share
from grader.session import Session


@dataclass(frozen=True)
class Checked:
    """The outcomes of all checks, and the session with the cells that were chosen for it.

    `notes` say, by question, which cells were tried.
    """

    session: Session
    outcomes: Sequence[CheckOutcome]
    notes: Mapping[str, str]


def check_all(
    session: Session, judged: Callable[[Sequence[CheckOutcome]], None] | None = None
) -> Checked:
    """Runs every check; where an answer fails that may stand elsewhere, there as well.

    `judged` is called after each check with the outcomes so far, before answers
    are looked for elsewhere.

    Raises:
        AssignmentError: a check file is broken.
    """
    outcomes: list[CheckOutcome] = run_checks(session, judged=judged)
    notes: dict[str, str] = {}
    for identity, answer in session.alignment.items():
        if answer.alternatives and earned_share(_of(identity, outcomes)) < 1.0:
            cells, found = _best(session, answer, outcomes)
            notes[identity] = _note(session, answer, cells, found)
            session = session.with_cells(identity, cells)
            outcomes = [o for o in outcomes if o.question != identity] + found
    return Checked(session, outcomes, notes)


def _best(
    session: Session, answer: AlignedAnswer, outcomes: Sequence[CheckOutcome]
) -> tuple[tuple[int, ...], list[CheckOutcome]]:
    """The cells whose definitions earn most, and what their checks came to."""
    identity = answer.question
    best, found = answer.cells, _of(identity, outcomes)
    others = [outcome for outcome in outcomes if outcome.question != identity]
    for cells in answer.alternatives:
        tried = run_checks(session.with_cells(identity, cells), [identity], others)
        if earned_share(tried) > earned_share(found):
            best, found = cells, tried
        if earned_share(found) >= 1.0:
            break
    return best, found


def _of(identity: str, outcomes: Sequence[CheckOutcome]) -> list[CheckOutcome]:
    return [outcome for outcome in outcomes if outcome.question == identity]


def _note(
    session: Session,
    answer: AlignedAnswer,
    chosen: tuple[int, ...],
    outcomes: Sequence[CheckOutcome],
) -> str:
    tried = [_numbers(session, cells) for cells in (answer.cells, *answer.alternatives)]
    fits = f"what {_numbers(session, chosen)} define{'' if chosen[1:] else 's'} counts"
    result = fits if earned_share(outcomes) else "none of them passes a check"
    return f"several definitions were tried ({'; '.join(dict.fromkeys(tried))}): {result}"


def _numbers(session: Session, cells: tuple[int, ...]) -> str:
    numbers = session.arrangement.handed_in(cells)
    return f"cell{'s' if numbers[1:] else ''} {', '.join(map(str, numbers))}"
