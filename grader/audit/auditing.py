"""The audit of one assignment: every promise, every generic mutant, and what checks cover."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, replace
from typing import Any

from grader.assignment import Assignment
from grader.audit.declarations import Declarations, load_declarations
from grader.audit.generating import GenericMutant, generic_mutants
from grader.audit.promises import HandIn, hand_ins, judge
from grader.audit.records import (
    AuditReport,
    MutantResult,
    MutantStatus,
    Promise,
    PromiseResult,
    QuestionCover,
)
from grader.audit.trial import Graded, tightened
from grader.audit.workers import MutantOutcome, MutantTask, Workers
from grader.execution.isolation import Level
from grader.records import CheckStatus, QuestionKind
from grader.reporting import environment

LEAST_SCORE = 0.95
MISSING = {
    Promise.VARIANT: "no variant: nothing shows that a right answer written differently passes",
    Promise.MUTANT: "no planted mutant: nothing shows which questions a mistake costs",
}
NOTHING_TO_SAY = "so its generic mutants say nothing, and were not run"


@dataclass(frozen=True)
class AuditOptions:
    """`questions` are those whose mutants are run, all where it is None."""

    jobs: int = 1
    questions: Collection[str] | None = None
    least_score: float = LEAST_SCORE
    isolation: Level | None = None


Progress = Callable[[int, int, str], None]
"""Called with the hand-ins decided, all of them, and what was found of the last one."""


def audit(
    assignment: Assignment,
    options: AuditOptions | None = None,
    progress: Progress = lambda done, total, found: None,
) -> AuditReport:
    """Grades all that an assignment makes of its solution, and says what its checks are worth.

    Raises:
        AssignmentError: the assignment is broken.
        ExecutionFault: the grader's own machinery failed.
    """
    return _Audit(assignment, options or AuditOptions(), progress).run()


class _Audit:
    """The state of one audit."""

    def __init__(self, assignment: Assignment, options: AuditOptions, progress: Progress) -> None:
        self.assignment, self.options, self.progress = assignment, options, progress
        for question in options.questions or ():
            assignment.question(question)
        self.start = time.monotonic()
        self.hand_ins = [h for h in hand_ins(assignment) if self._is_asked_for(h)]
        self.declarations = load_declarations(assignment)
        self.all_mutants = generic_mutants(assignment)
        self.graded: dict[int, Graded] = {}
        self.outcomes: dict[str, MutantOutcome] = {}
        self.faults: list[str] = []

    def run(self) -> AuditReport:
        """Grades the solution first: the limits and the worth of all others depend on it."""
        assignment = self.assignment
        assignment.require_packages()
        chosen = self._chosen()
        self.total = len(self.hand_ins) + len(chosen)
        self.progress(0, self.total, "")
        with Workers(assignment, self.options.jobs, self.options.isolation) as workers:
            self._keep(0, workers.grade(self.hand_ins[0].submission).result())
            waiting: dict[Future[Any], int | str] = {
                workers.grade(h.submission): i for i, h in enumerate(self.hand_ins) if i
            }
            if self._promise(0).kept:
                waiting |= {workers.decide(task): task.mutant.name for task in self._tasks(chosen)}
            else:
                self.total -= len(chosen)
                self.faults.append(f"the solution does not get full marks, {NOTHING_TO_SAY}")
            for future in as_completed(waiting):
                self._keep(waiting[future], future.result())
        return self._report(chosen)

    def _is_asked_for(self, hand_in: HandIn) -> bool:
        wanted = self.options.questions
        return wanted is None or hand_in.mutant is None or hand_in.mutant.question in wanted

    def _chosen(self) -> list[GenericMutant]:
        wanted = self.options.questions
        return [m for m in self.all_mutants if wanted is None or m.question in wanted]

    def _tasks(self, chosen: Collection[GenericMutant]) -> list[MutantTask]:
        solution = self.graded[0]
        limits = tightened(self.assignment.limits, solution.slowest_cell, solution.seconds)
        weights = self._weights()
        declared = set(self.declarations.names)
        return [MutantTask(m, limits, weights[m.question] > 0, m.name in declared) for m in chosen]

    def _keep(self, key: int | str, found: Graded | MutantOutcome) -> None:
        if isinstance(found, Graded) and isinstance(key, int):
            self.graded[key] = found
            words = self._words(self._promise(key))
        elif isinstance(found, MutantOutcome) and isinstance(key, str):
            self.outcomes[key] = self._explained(found)
            words = self._outcome_words(self.outcomes[key].result)
        self.progress(len(self.graded) + len(self.outcomes), self.total, words)

    def _words(self, promise: PromiseResult) -> str:
        return "" if promise.kept else f"{promise.promise.value} {promise.name}: {promise.found}"

    def _outcome_words(self, result: MutantResult) -> str:
        alive = (MutantStatus.SURVIVED, MutantStatus.UNDECIDED)
        return f"{result.status.value}: {result.name}" if result.status in alive else ""

    def _promise(self, index: int) -> PromiseResult:
        return judge(self.hand_ins[index], self.graded[index])

    def _explained(self, outcome: MutantOutcome) -> MutantOutcome:
        """The outcome, with what the author says of a mutant that is alive."""
        result = outcome.result
        if result.status is MutantStatus.KILLED:
            return outcome
        for said, status in (
            (self.declarations.equivalent, MutantStatus.DECLARED),
            (self.declarations.survivor, MutantStatus.EXPLAINED),
        ):
            if result.name in said:
                note = said[result.name]
                return replace(outcome, result=replace(result, status=status, note=note))
        return outcome

    def _weights(self) -> Counter[str]:
        weights: Counter[str] = Counter()
        for check in self.graded[0].checks:
            weights[check.question] += check.weight  # type: ignore[assignment]
        return weights

    def _report(self, chosen: Collection[GenericMutant]) -> AuditReport:
        promises = tuple(self._promise(index) for index in range(len(self.hand_ins)))
        mutants = tuple(self.outcomes[m.name].result for m in chosen if m.name in self.outcomes)
        cover = self._cover(mutants)
        solution = self.graded[0]
        return AuditReport(
            assignment=self.assignment.slug,
            title=self.assignment.title,
            points=sum(question.points for question in self.assignment.questions),
            promises=promises,
            mutants=mutants,
            cover=cover,
            idle_checks=self._idle_checks(),
            faults=(*self.faults, *_uncovered(cover), *self._stale(mutants)),
            remarks=(*self._few(), *_uneven(cover)),
            grading_seconds=round(solution.seconds, 3),
            seconds=round(time.monotonic() - self.start, 3),
            jobs=self.options.jobs,
            isolation=solution.isolation,
            environment=environment(),
            least_score=self.options.least_score,
        )

    def _cover(self, mutants: Collection[MutantResult]) -> tuple[QuestionCover, ...]:
        weights, checks = self._weights(), self.graded[0].checks
        wrong = [
            m for m in mutants if m.status not in (MutantStatus.EQUIVALENT, MutantStatus.DECLARED)
        ]
        return tuple(
            QuestionCover(
                question=question.id,
                points=question.points,
                checks=sum(check.question == question.id for check in checks),
                hidden=sum(check.question == question.id and check.hidden for check in checks),
                weight=round(weights[question.id], 6),
                mutants=sum(m.question == question.id for m in wrong),
                killed=sum(
                    m.question == question.id and m.status is MutantStatus.KILLED for m in wrong
                ),
            )
            for question in self.assignment.questions
            if question.kind is QuestionKind.CODE
        )

    def _few(self) -> list[str]:
        """What there is none of."""
        kinds = {hand_in.promise for hand_in in self.hand_ins}
        is_whole = self.options.questions is None
        return [text for kind, text in MISSING.items() if is_whole and kind not in kinds]

    def _idle_checks(self) -> tuple[str, ...]:
        """The checks that passed on every mutant that was run."""
        known = [f"{check.question} {check.name}" for check in self.graded[0].checks]
        planted = [g for i, g in self.graded.items() if self.hand_ins[i].mutant is not None]
        failed = {
            f"{check.question} {check.name}"
            for graded in planted
            for check in graded.checks
            if check.status is not CheckStatus.PASSED
        }
        failed = failed.union(*(outcome.failed for outcome in self.outcomes.values()))
        audited = self.options.questions
        chosen = [n for n in known if audited is None or n.split()[0] in audited]
        return tuple(name for name in chosen if name not in failed)

    def _stale(self, mutants: Collection[MutantResult]) -> list[str]:
        return stale_declarations(
            self.declarations, {mutant.name for mutant in self.all_mutants}, mutants
        )


def stale_declarations(
    declarations: Declarations, known: Collection[str], mutants: Collection[MutantResult]
) -> list[str]:
    """What mutants.toml says of mutants that are gone, or that are killed."""
    killed = {m.name: m.killed_by for m in mutants if m.status is MutantStatus.KILLED}
    stale = []
    for name in declarations.names:
        if name not in known:
            stale.append(f"mutants.toml explains {name}, and there is no such generic mutant")
        elif name in killed:
            checks = ", ".join(killed[name])
            stale.append(f"mutants.toml explains why {name} lives, but {checks} kills it")
    return stale


def _uncovered(cover: Collection[QuestionCover]) -> list[str]:
    return [
        f"no check covers {question.question}, which carries {question.points:g} points"
        for question in cover
        if question.points and not question.weight
    ]


def _uneven(cover: Collection[QuestionCover]) -> list[str]:
    """Questions whose checks' points were written with another total in mind."""
    return [
        f"the points of the checks of {q.question} add up to {q.weight:g}, not to {q.points:g}: "
        "they count in proportion"
        for q in cover
        if q.points and q.weight and abs(q.weight - q.points) > 1e-6 and q.weight != q.checks
    ]
