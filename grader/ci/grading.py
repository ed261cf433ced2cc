"""One submission graded where nobody watches: whatever happens, there is something to tell."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.assignment import Assignment, load_assignment
from grader.errors import SubmissionError, UsageError
from grader.execution.isolation import Level
from grader.pipeline import grade
from grader.records import CheckStatus, QuestionKind, QuestionStatus, Report, SubmissionRecord
from grader.reporting import report_without_grading
from grader.selfcheck.checking import check_at_home
from grader.submission import Submission, load_submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.records import CheckResult

DONE, FAILED, UNUSABLE, OUR_FAULT = 0, 1, 2, 3
"""Exit codes, as of every command of the grader's."""

BUNDLES_OWN = ("assignment.toml", "README.md", "checks/")
# No answer of the student's stands behind these.
NOT_THE_STUDENTS = ("author", "grader")
LOST = (QuestionStatus.FAILED, QuestionStatus.PARTIAL, QuestionStatus.NOT_ATTEMPTED)


@dataclass(frozen=True)
class Graded:
    """What came of a submission.

    `fault` says what kept it from being graded, `""` where nothing did; `details`
    are for whoever can mend it. Without a `report`, nothing is known of the work.
    `notebook` is the submission's, by its path in it.
    """

    report: Report | None
    code: int
    fault: str = ""
    details: str = ""
    notebook: str = ""


def grade_one(
    folder: str | Path,
    path: Path,
    *,
    identity: str = "",
    isolation: str = "",
    seconds: float | None = None,
    judged: Callable[[Report], None] | None = None,
) -> Graded:
    """Grades what lies at `path` by the assignment in `folder`; raises nothing.

    `identity` names the submission in the report, instead of its file's name.
    `seconds` bounds the notebook's run where the assignment would give it more.
    """
    try:
        assignment = load_assignment(folder)
        try:
            submission = read_submission(assignment, path)
            if identity:
                submission = replace(submission, id=identity)
            assignment = _within(assignment, seconds)
            if assignment.is_release:
                # What `grader check` says at home.
                least = Level(isolation) if isolation else assignment.run.isolation
                report = check_at_home(assignment, submission, isolation=least)
            else:
                report = grade(assignment, submission, isolation=isolation or None, judged=judged)
        except SubmissionError as error:
            record = SubmissionRecord(identity or path.stem, (), "")
            report = report_without_grading(assignment, record, str(error))
            return Graded(report, UNUSABLE, fault=str(error))
    except UsageError as error:
        return Graded(None, UNUSABLE, str(error))
    except Exception as error:  # noqa: BLE001 - whatever is left is a fault of ours
        return Graded(None, OUR_FAULT, f"{type(error).__name__}: {error}", traceback.format_exc())
    if not report.environment:
        # It could be read and not be run: the report says why, and nothing else.
        return Graded(report, UNUSABLE, " ".join(report.notes))
    return Graded(report, exit_code(report), notebook=submission.name)


def read_submission(assignment: Assignment, path: Path) -> Submission:
    """What a student handed in; of a student's bundle, without what the bundle itself holds.

    Raises:
        SubmissionError: it cannot be graded.
    """
    submission = load_submission(path, assignment.answer_files, assignment.release)
    if not assignment.is_release or path.resolve() != assignment.folder:
        return submission
    # Else visible checks would lie beside the student's running code.
    files = {n: c for n, c in submission.files.items() if not n.startswith(BUNDLES_OWN)}
    return replace(submission, files=files)


def _within(assignment: Assignment, seconds: float | None) -> Assignment:
    if seconds is None:
        return assignment
    limits = replace(assignment.limits, notebook=min(assignment.limits.notebook, seconds))
    return replace(assignment, limits=limits)


def exit_code(report: Report) -> int:
    """0 where nothing that code answers lacks points, 1 where something does, 3 for our faults."""
    coded = [q for q in report.questions if q.kind is QuestionKind.CODE]
    if any(question.status in LOST for question in coded):
        return FAILED
    return OUR_FAULT if any(faults(report)) else DONE


def faults(report: Report) -> Iterator[CheckResult]:
    """The checks that failed by the grader's or the author's fault."""
    for question in report.questions:
        for check in question.checks:
            if check.status is CheckStatus.ERROR and check.cause in NOT_THE_STUDENTS:
                yield check


def is_judged(report: Report) -> bool:
    """Whether any question of code was judged at all, so that the score says something."""
    coded = [question for question in report.questions if question.kind is QuestionKind.CODE]
    return any(question.status is not QuestionStatus.UNGRADED for question in coded)
