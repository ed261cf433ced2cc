"""One submission's way through a worker: bytes go in, a report comes back as JSON."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from pathlib import Path

from grader import reporting
from grader.alignment import CellMap
from grader.assignment import Assignment, load_assignment
from grader.errors import ExecutionFault, SubmissionError
from grader.pipeline import grade
from grader.records import Report, SubmissionRecord
from grader.reports.json_report import to_json
from grader.submission import Submission


@dataclass(frozen=True)
class Job:
    """What a worker needs; nothing in it depends on a disk that it shares with others.

    `submission` is None where it cannot be read, and `problem` says why of which
    `files`.
    `isolation` is the least level accepted, `""` for the assignment's own, and
    `repairs` are the kinds of repair, None for the assignment's own; `cell_map`
    says of some questions which cells answer them.
    """

    id: str
    assignment: str
    submission: Submission | None
    problem: str = ""
    isolation: str = ""
    repairs: tuple[str, ...] | None = None
    files: tuple[str, ...] = ()
    cell_map: CellMap = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a job: a report as JSON, or the fault of ours that kept it from one."""

    id: str
    report: str
    fault: str
    seconds: float


def grade_job(job: Job) -> Outcome:
    """Grades one submission in this process; whatever happens, there is an outcome."""
    start = time.monotonic()
    assignment = _assignment(job.assignment)
    try:
        report = to_json(_report(assignment, job))
    except (ExecutionFault, MemoryError, OSError) as error:
        fault = f"{type(error).__name__}: {error}"
        return Outcome(job.id, "", fault, time.monotonic() - start)
    return Outcome(job.id, report, "", time.monotonic() - start)


def _report(assignment: Assignment, job: Job) -> Report:
    if job.submission is None:
        return report_without_grading(assignment, job, job.problem)
    try:
        return grade(
            assignment,
            job.submission,
            isolation=job.isolation or None,
            repairs=job.repairs,
            cell_map=dict(job.cell_map),
        )
    except SubmissionError as error:
        return report_without_grading(assignment, job, str(error))


def report_without_grading(assignment: Assignment, job: Job, reason: str) -> Report:
    """The report on a job that has none, and why."""
    record = job.submission.record if job.submission else SubmissionRecord(job.id, job.files, "")
    return reporting.report_without_grading(assignment, record, reason)


@functools.cache
def _assignment(folder: str) -> Assignment:
    """Read once a worker."""
    return load_assignment(Path(folder))
