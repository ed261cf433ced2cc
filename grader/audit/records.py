"""What an audit found: plain records for the table, the page and the JSON file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Promise(StrEnum):
    """What an assignment promises of each kind of hand-in."""

    SOLUTION = "solution"
    RELEASE = "release"
    VARIANT = "variant"
    MUTANT = "mutant"


class MutantStatus(StrEnum):
    """What became of a generic mutant.

    `killed` lost points, `survived` got full marks, `undecided` left a question
    ungraded; `equivalent` answers are right (`declared` where the author says so),
    and `explained` is a survivor that the author knows of.
    """

    KILLED = "killed"
    SURVIVED = "survived"
    UNDECIDED = "undecided"
    EQUIVALENT = "equivalent"
    DECLARED = "declared"
    EXPLAINED = "explained"


@dataclass(frozen=True)
class PromiseResult:
    """One hand-in of the assignment's own: whether it got what it must, and if not, what else."""

    promise: Promise
    name: str
    kept: bool
    found: str
    seconds: float


@dataclass(frozen=True)
class MutantResult:
    """One generic mutant. `killed_by` are the checks that cost it points.

    `note` says how it is known to be equivalent, or for what other numbers its
    results differ from the solution's. `seconds` are what it took to decide.
    """

    name: str
    question: str
    operator: str
    mistake: str
    diff: str
    status: MutantStatus
    seconds: float
    killed_by: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class QuestionCover:
    """What checks a code question has. `weight` is the sum of their points as written."""

    question: str
    points: float
    checks: int
    hidden: int
    weight: float
    mutants: int
    killed: int


@dataclass(frozen=True)
class AuditReport:
    """All that an audit found.

    `idle_checks` never failed on any mutant. `faults` make the audit fail, as
    broken promises and survivors without an explanation do; `remarks` do not.
    `least_score` is the share of mutants that the checks must kill.
    """

    assignment: str
    title: str
    points: float
    promises: tuple[PromiseResult, ...]
    mutants: tuple[MutantResult, ...]
    cover: tuple[QuestionCover, ...]
    idle_checks: tuple[str, ...]
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    grading_seconds: float
    seconds: float
    jobs: int
    isolation: str
    environment: dict[str, str]
    least_score: float
    schema: str = "nn-grader/audit/v1"

    def count(self, *statuses: MutantStatus) -> int:
        """How many generic mutants ended so."""
        return sum(mutant.status in statuses for mutant in self.mutants)

    @property
    def score(self) -> float | None:
        """The mutation score: killed mutants among those that are wrong; None without any."""
        right = self.count(MutantStatus.EQUIVALENT, MutantStatus.DECLARED)
        wrong = len(self.mutants) - right
        return self.count(MutantStatus.KILLED) / wrong if wrong else None

    @property
    def survivors(self) -> tuple[MutantResult, ...]:
        """The mutants that the checks do not kill, and that nobody has explained."""
        alive = (MutantStatus.SURVIVED, MutantStatus.UNDECIDED)
        return tuple(mutant for mutant in self.mutants if mutant.status in alive)

    @property
    def passed(self) -> bool:
        """Whether every promise holds and every survivor is explained."""
        is_kept = all(promise.kept for promise in self.promises)
        is_enough = self.score is None or self.score >= self.least_score
        return is_kept and is_enough and not self.survivors and not self.faults
