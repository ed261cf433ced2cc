"""Hand-ins graded side by side, each worker process with a zygote of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

from grader.assignment import Assignment, load_assignment
from grader.audit.equivalence import compare
from grader.audit.generating import GenericMutant
from grader.audit.records import MutantResult, MutantStatus
from grader.audit.trial import (
    CheckRun,
    Graded,
    changed,
    grade_question,
    grade_whole,
    lost_to,
    with_limits,
)
from grader.errors import ExecutionFault
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.records import CheckStatus
from grader.submission import Submission

T = TypeVar("T")
NO_CHECK = "no check covers this question"


@dataclass(frozen=True)
class MutantTask:
    """A generic mutant to decide. `covered` says whether its question has any check.

    Of a `declared` one the author has said already what it is.
    """

    mutant: GenericMutant
    limits: Limits
    covered: bool
    declared: bool


@dataclass(frozen=True)
class MutantOutcome:
    """A decided mutant, and the checks that did not pass on it, points or not."""

    result: MutantResult
    failed: frozenset[str]


@dataclass(frozen=True)
class _Worker:
    assignment: Assignment
    isolation: Level | None


_worker: _Worker | None = None


class Workers:
    """A pool of `jobs` processes for one assignment; used in a `with` statement."""

    def __init__(self, assignment: Assignment, jobs: int, isolation: Level | None) -> None:
        self._pool = ProcessPoolExecutor(
            max_workers=jobs,
            # Forking a process that may run threads is not safe.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(assignment.folder, isolation),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def grade(self, submission: Submission) -> Future[Graded]:
        """Grades a hand-in with every check."""
        return self._pool.submit(_grade, submission)

    def decide(self, task: MutantTask) -> Future[MutantOutcome]:
        """Decides what a generic mutant is."""
        return self._pool.submit(_decide, task)


def _begin(folder: Path, isolation: Level | None) -> None:
    global _worker  # noqa: PLW0603 - a process works for one assignment all its life
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = _Worker(load_assignment(folder), isolation)


def _end_with_parent() -> None:
    """A worker whose audit was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _this_worker() -> _Worker:
    assert _worker is not None, "the pool's initializer did not run"
    return _worker


def _grade(submission: Submission) -> Graded:
    worker = _this_worker()
    return _twice(lambda: grade_whole(worker.assignment, submission, worker.isolation))


def _decide(task: MutantTask) -> MutantOutcome:
    worker = _this_worker()
    assignment = with_limits(worker.assignment, task.limits)
    start = time.monotonic()
    outcome = _twice(lambda: _judge(task, assignment, worker.isolation))
    result = replace(outcome.result, seconds=round(time.monotonic() - start, 3))
    return MutantOutcome(result, outcome.failed)


def _twice(work: Callable[[], T]) -> T:
    """Tries once more where the machinery failed, as it may on a machine that is too busy."""
    try:
        return work()
    except ExecutionFault:
        return work()


def _judge(task: MutantTask, assignment: Assignment, isolation: Level | None) -> MutantOutcome:
    """First the question's own checks, then the whole assignment, then other numbers."""
    mutant = task.mutant
    if not task.covered:
        return _outcome(mutant, MutantStatus.SURVIVED, (), note=NO_CHECK)
    submission = changed(assignment, mutant, mutant.source)
    checks = grade_question(assignment, submission, mutant.question, isolation)
    if lost_to(checks):
        return _outcome(mutant, MutantStatus.KILLED, checks)
    graded = grade_whole(assignment, submission, isolation)
    if graded.losses - graded.ungraded:
        return _outcome(mutant, MutantStatus.KILLED, graded.checks)
    if graded.ungraded:
        note = f"it leaves {', '.join(sorted(graded.ungraded))} ungraded: {_why(graded.checks)}"
        return _outcome(mutant, MutantStatus.UNDECIDED, graded.checks, note)
    if task.declared:
        return _outcome(mutant, MutantStatus.SURVIVED, graded.checks)
    found = compare(assignment, mutant, isolation)
    status = MutantStatus.EQUIVALENT if found.equivalent else MutantStatus.SURVIVED
    return _outcome(mutant, status, graded.checks, found.note)


def _why(checks: tuple[CheckRun, ...]) -> str:
    undecided = [c for c in checks if c.status is not CheckStatus.PASSED]
    return "; ".join(f"{c.name} {c.message}" for c in undecided) or "no reason was given"


def _outcome(
    mutant: GenericMutant, status: MutantStatus, checks: tuple[CheckRun, ...], note: str = ""
) -> MutantOutcome:
    failed = [check for check in checks if check.status is not CheckStatus.PASSED]
    result = MutantResult(
        name=mutant.name,
        question=mutant.question,
        operator=mutant.operator,
        mistake=mutant.mistake,
        diff=mutant.diff,
        status=status,
        seconds=0.0,
        killed_by=tuple(f"{c.question} {c.name}" for c in checks if c.lost),
        note=note,
    )
    return MutantOutcome(result, frozenset(f"{c.question} {c.name}" for c in failed))
