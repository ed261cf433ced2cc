"""The whole way of one submission, top to bottom.

path -> Submission -> Session (aligned and run) -> check outcomes -> Report
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from grader.alignment import NO_MAP, CellMap
from grader.assignment import Assignment, Experiments, load_assignment
from grader.checks.outcome import CheckOutcome
from grader.errors import SubmissionError
from grader.execution.isolation import Level
from grader.execution.runner import Progress
from grader.records import Report
from grader.reporting import report_on, report_so_far, report_without_grading
from grader.session import open_session
from grader.submission import Submission, load_submission
from grader.trying import check_all


def grade(
    assignment: Assignment | str | Path,
    submission: Submission | str | Path,
    *,
    isolation: Level | str | None = None,
    experiments: Experiments | str | None = None,
    repairs: Sequence[str] | None = None,
    progress: Progress | None = None,
    cell_map: CellMap = NO_MAP,
    judged: Callable[[Report], None] | None = None,
) -> Report:
    """Grades one submission.

    `isolation` is the least level accepted (see `docs/security.md`), instead of
    the assignment's own. `experiments` says whether they are run and `repairs`
    which kinds are made, instead of the assignment's own settings. `progress` is
    called with the number of cells run and of all code cells. `cell_map` says of
    some questions which cells answer them. `judged` is called after each check
    with what the report would be if nothing else were graded.

    What can be read and not be run, such as Python 2, has a report that says so.

    Raises:
        AssignmentError, SubmissionError, UsageError: what was given cannot be used.
        ExecutionFault: the grader's own machinery failed.
    """
    if not isinstance(assignment, Assignment):
        assignment = load_assignment(assignment)
    if experiments:
        settings = replace(assignment.run, experiments=Experiments(experiments))
        assignment = replace(assignment, run=settings)
    if repairs is not None:
        assignment = replace(assignment, run=replace(assignment.run, repairs=tuple(repairs)))
    if not isinstance(submission, Submission):
        submission = load_submission(submission, assignment.answer_files, assignment.release)
    start = time.monotonic()
    least = Level(isolation) if isolation else None
    try:
        opened = open_session(
            assignment, submission, isolation=least, progress=progress, cell_map=cell_map
        )
    except SubmissionError as error:
        return report_without_grading(assignment, submission.record, str(error))
    with opened as session:

        def tell(so_far: Sequence[CheckOutcome]) -> None:
            if judged is not None:
                judged(report_so_far(session, so_far, time.monotonic() - start))

        checked = check_all(session, judged=tell)
        seconds = time.monotonic() - start
        return report_on(checked.session, checked.outcomes, seconds, checked.notes)
