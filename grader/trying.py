"""Where a name has several definitions and no place tells which counts, tries them in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

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
    session: Session,
    only: Collection[str] | None = None,
    *,
    visible_only: bool = False,
    judged: Callable[[Sequence[CheckOutcome]], None] | None = None,
) -> Checked:
    """Runs every check; where an answer fails that may stand elsewhere, there as well.

    `only` and `visible_only` are as in `run_checks`. `judged` is called after
    each check with the outcomes so far, before answers are looked for elsewhere.

    Raises:
        AssignmentError: a check file is broken.
    """
    outcomes: list[CheckOutcome] = run_checks(
        session, only, visible_only=visible_only, judged=judged
    )
    notes: dict[str, str] = {}
    for identity, answer in session.alignment.items():
        own = _of(identity, outcomes)
        if own and answer.alternatives and _share(own) < 1.0:
            cells, found = _best(session, answer, outcomes, visible_only=visible_only)
            notes[identity] = _note(session, answer, cells, found)
            session = session.with_cells(identity, cells)
            outcomes = [o for o in outcomes if o.question != identity] + found
    return Checked(session, outcomes, notes)


def _best(
    session: Session,
    answer: AlignedAnswer,
    outcomes: Sequence[CheckOutcome],
    *,
    visible_only: bool,
) -> tuple[tuple[int, ...], list[CheckOutcome]]:
    """The cells whose definitions earn most, and what their checks came to."""
    identity = answer.question
    best, found = answer.cells, _of(identity, outcomes)
    others = [outcome for outcome in outcomes if outcome.question != identity]
    for cells in answer.alternatives:
        elsewhere = session.with_cells(identity, cells)
        tried = run_checks(elsewhere, [identity], others, visible_only=visible_only)
        if _share(tried) > _share(found):
            best, found = cells, tried
        if _share(found) >= 1.0:
            break
    return best, found


def _share(outcomes: Sequence[CheckOutcome]) -> float:
    """What the checks give; where those that carry points are kept back, all count alike."""
    if any(outcome.weight for outcome in outcomes):
        return earned_share(outcomes)
    return earned_share([replace(outcome, weight=1.0) for outcome in outcomes])


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
    result = fits if _share(outcomes) else "none of them passes a check"
    return f"several definitions were tried ({'; '.join(dict.fromkeys(tried))}): {result}"


def _numbers(session: Session, cells: tuple[int, ...]) -> str:
    numbers = session.arrangement.handed_in(cells)
    return f"cell{'s' if numbers[1:] else ''} {', '.join(map(str, numbers))}"
