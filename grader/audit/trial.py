"""Grades one hand-in of an audit inside a worker process, and sums up what it got."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import nbformat
from nbformat import NotebookNode

from grader.assignment import Assignment
from grader.audit.generating import GenericMutant
from grader.audit.planting import solution_submission
from grader.checks.outcome import CheckOutcome
from grader.checks.running import run_checks
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.records import CheckStatus, QuestionKind, QuestionStatus
from grader.release import cell_question
from grader.reporting import report_on
from grader.session import open_session
from grader.submission import Submission

# What costs points; every other outcome but a pass leaves its question ungraded.
COSTLY = (CheckStatus.FAILED, CheckStatus.TIMEOUT)


@dataclass(frozen=True)
class CheckRun:
    """What one check made of a hand-in. `lost` says whether it cost points."""

    name: str
    question: str
    status: CheckStatus
    weight: float
    hidden: bool
    lost: bool
    message: str
    diagnosis: str


@dataclass(frozen=True)
class QuestionRun:
    """What one question got."""

    question: str
    kind: QuestionKind
    status: QuestionStatus
    points: float
    max_points: float


@dataclass(frozen=True)
class Graded:
    """A hand-in's outcome. `slowest_cell` and `seconds` are wall time."""

    questions: tuple[QuestionRun, ...]
    checks: tuple[CheckRun, ...]
    score: float
    pending: float
    seconds: float
    slowest_cell: float
    isolation: str

    @property
    def losses(self) -> frozenset[str]:
        """The code questions that lack points."""
        coded = [q for q in self.questions if q.kind is QuestionKind.CODE]
        return frozenset(q.question for q in coded if q.points < q.max_points)

    @property
    def ungraded(self) -> frozenset[str]:
        """The code questions that nothing could decide."""
        return frozenset(
            q.question
            for q in self.questions
            if q.kind is QuestionKind.CODE and q.status is QuestionStatus.UNGRADED and q.max_points
        )

    @property
    def diagnoses(self) -> frozenset[str]:
        """The codes of all mistakes that the report names."""
        return frozenset(check.diagnosis for check in self.checks if check.diagnosis)


def grade_whole(
    assignment: Assignment, submission: Submission, isolation: Level | None = None
) -> Graded:
    """Grades a hand-in as any other, with every check.

    Raises:
        AssignmentError: the assignment is broken.
        ExecutionFault: the grader's own machinery failed.
    """
    start = time.monotonic()
    with open_session(assignment, submission, isolation=isolation) as session:
        outcomes = run_checks(session)
        report = report_on(session, outcomes)
    return Graded(
        questions=tuple(
            QuestionRun(q.id, q.kind, q.status, q.points, q.max_points) for q in report.questions
        ),
        checks=tuple(map(check_run, outcomes)),
        score=report.score,
        pending=report.pending,
        seconds=time.monotonic() - start,
        slowest_cell=max((cell.seconds for cell in report.execution), default=0.0),
        isolation=report.isolation,
    )


def grade_question(
    assignment: Assignment, submission: Submission, question: str, isolation: Level | None = None
) -> tuple[CheckRun, ...]:
    """Runs the notebook to the end of one question, and that question's checks.

    A check sees the notebook as it was at its question, so what these checks
    say is what they say in a whole grading.
    """
    shortened = up_to(submission, question)
    with open_session(assignment, shortened, isolation=isolation) as session:
        return tuple(map(check_run, run_checks(session, only=[question])))


def up_to(submission: Submission, question: str) -> Submission:
    """The hand-in without the cells after a question's last one; other files stay."""
    notebook = copy.deepcopy(submission.notebook)
    own = [i for i, cell in enumerate(notebook.cells) if cell_question(cell) == question]
    if not own:
        return submission
    notebook.cells = notebook.cells[: own[-1] + 1]
    return _with_notebook(submission, notebook)


def changed(assignment: Assignment, mutant: GenericMutant, source: str) -> Submission:
    """The solution with another source in the cell or file that a mutant changes."""
    if not mutant.path:
        return with_cell(assignment, mutant.cell, source, "mutant")
    submission = solution_submission(assignment)
    files = {**submission.files, mutant.path: source.encode()}
    return replace(submission, id="mutant", files=files)


def with_cell(assignment: Assignment, cell: int, source: str, name: str) -> Submission:
    """The solution with another source in one cell."""
    submission = solution_submission(assignment)
    notebook = copy.deepcopy(submission.notebook)
    notebook.cells[cell].source = source
    return replace(_with_notebook(submission, notebook), id=name)


def _with_notebook(submission: Submission, notebook: NotebookNode) -> Submission:
    content = nbformat.writes(notebook).encode()
    files = {**submission.files, submission.name: content}
    return replace(submission, notebook=notebook, files=files)


def with_limits(assignment: Assignment, limits: Limits) -> Assignment:
    """The assignment with other limits."""
    return replace(assignment, limits=limits)


def tightened(limits: Limits, cell: float, whole: float) -> Limits:
    """Limits for mutants, of which some never end.

    `cell` is how long the solution's slowest cell took, `whole` its grading, in
    seconds; ten times as long, and never longer than the assignment allows, is
    taken for an endless loop.
    """
    return replace(
        limits,
        cell=min(limits.cell, 5 + 10 * cell),
        check=min(limits.check, 5 + 10 * whole),
        notebook=min(limits.notebook, 30 + 10 * whole),
    )


def lost_to(checks: Collection[CheckRun]) -> tuple[str, ...]:
    """The checks that cost points."""
    return tuple(check.name for check in checks if check.lost)


def check_run(outcome: CheckOutcome) -> CheckRun:
    """What an audit keeps of a check's outcome."""
    verdict = outcome.verdict
    return CheckRun(
        name=outcome.name,
        question=outcome.question,
        status=verdict.status,
        weight=outcome.weight,
        hidden=outcome.hidden,
        lost=verdict.status in COSTLY and outcome.weight > 0 and outcome.share < 1,
        message=verdict.message.splitlines()[0] if verdict.message else "",
        diagnosis=verdict.diagnosis.code if verdict.diagnosis else "",
    )
