"""What an assignment promises of its own hand-ins, and whether it holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.audit.planting import (
    Mutant,
    load_mutants,
    load_variants,
    plant,
    release_submission,
    rewrite,
    solution_submission,
)
from grader.audit.records import Promise, PromiseResult
from grader.audit.trial import Graded
from grader.records import CheckStatus, QuestionStatus
from grader.submission import Submission

SHORT_OF_MARKS = (QuestionStatus.FAILED, QuestionStatus.PARTIAL)


@dataclass(frozen=True, eq=False)
class HandIn:
    """A hand-in of the assignment's own. `mutant` is the bug that is planted in it."""

    promise: Promise
    name: str
    submission: Submission
    mutant: Mutant | None = None


def hand_ins(assignment: Assignment) -> tuple[HandIn, ...]:
    """The solution, the release, every variant and every mutant.

    Raises:
        AssignmentError: a file of variants or mutants is broken.
    """
    return (
        HandIn(Promise.SOLUTION, "solution", solution_submission(assignment)),
        HandIn(Promise.RELEASE, "release", release_submission(assignment)),
        *(
            HandIn(Promise.VARIANT, variant.name, rewrite(assignment, variant))
            for variant in load_variants(assignment)
        ),
        *(
            HandIn(Promise.MUTANT, mutant.name, plant(assignment, mutant), mutant)
            for mutant in _mutants(assignment)
        ),
    )


def judge(hand_in: HandIn, graded: Graded) -> PromiseResult:
    """Whether a hand-in got what it must."""
    wrong = "; ".join(_broken(hand_in, graded))
    return PromiseResult(
        promise=hand_in.promise,
        name=hand_in.name,
        kept=not wrong,
        found=wrong or _as_promised(hand_in, graded),
        seconds=round(graded.seconds, 3),
    )


def _mutants(assignment: Assignment) -> tuple[Mutant, ...]:
    exists = (assignment.folder / "mutants.toml").is_file()
    return load_mutants(assignment) if exists else ()


def _as_promised(hand_in: HandIn, graded: Graded) -> str:
    if hand_in.mutant is None:
        return "0 points" if hand_in.promise is Promise.RELEASE else "full marks"
    named = f", named {_listed(graded.diagnoses)}" if graded.diagnoses else ""
    return f"costs {_listed(graded.losses)}{named}"


def _broken(hand_in: HandIn, graded: Graded) -> list[str]:
    if hand_in.promise is Promise.RELEASE:
        return _broken_release(graded)
    costs = hand_in.mutant.costs if hand_in.mutant else ()
    wrong = []
    if graded.losses != set(costs):
        due = f"costs {_listed(graded.losses)}, and must cost {_listed(costs)}"
        wrong.append(due + _reasons(graded, graded.losses - set(costs)))
    if _is_misnamed(hand_in, graded):
        due = hand_in.mutant.diagnosis if hand_in.mutant else "nothing"
        wrong.append(f"is named {_listed(graded.diagnoses)}, and must be {due}")
    statuses = {q.question: q.status for q in graded.questions if q.question in graded.losses}
    wrong += [
        f"{question} is {statuses[question].value} instead of failed"
        for question in sorted(set(costs) & statuses.keys())
        if statuses[question] not in SHORT_OF_MARKS
    ]
    if hand_in.promise is Promise.SOLUTION and not wrong:
        wrong += _failing(graded)
    return wrong


def _is_misnamed(hand_in: HandIn, graded: Graded) -> bool:
    """A right answer has no mistake to be named; of a bug, nothing is asked without a name."""
    if hand_in.mutant is None:
        return bool(graded.diagnoses)
    due = hand_in.mutant.diagnosis
    return bool(due) and graded.diagnoses != {due}


def _broken_release(graded: Graded) -> list[str]:
    wrong = [f"it gets {graded.score:g} points"] if graded.score else []
    attempted = [
        q.question for q in graded.questions if q.status is not QuestionStatus.NOT_ATTEMPTED
    ]
    if attempted:
        wrong.append(f"{_listed(attempted)} should count as not attempted")
    return wrong


def _failing(graded: Graded) -> list[str]:
    """Checks that do not pass although they cost nothing."""
    failing = [c for c in graded.checks if c.status is not CheckStatus.PASSED]
    return [f"{c.question} {c.name}: {c.status.value}: {c.message}" for c in failing]


def _reasons(graded: Graded, questions: Collection[str]) -> str:
    failing = [
        check
        for check in graded.checks
        if check.question in questions and check.status is not CheckStatus.PASSED
    ]
    return "".join(f" ({c.question} {c.name}: {c.message})" for c in failing[:3])


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
