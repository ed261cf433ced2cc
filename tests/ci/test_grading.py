"""One submission where nobody watches: reports as they come, exit codes, faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from ci_reports import check, question

from grader.assignment import Assignment
from grader.ci import grading
from grader.ci.grading import DONE, FAILED, OUR_FAULT, UNUSABLE, exit_code, grade_one, is_judged
from grader.records import CheckStatus, QuestionStatus, Report
from grader.reporting import NOT_JUDGED
from grader.submission import Submission


def test_reports_as_they_come(
    tiny: Assignment, answered: Callable[..., Submission], tmp_path: Path
) -> None:
    """After each check there is a report on the questions before it, and the last one is whole."""
    path = tmp_path / "hw.ipynb"
    nbformat.write(answered().notebook, path)
    seen: list[Report] = []
    graded = grade_one(tiny.folder, path, identity="submission_7", judged=seen.append)
    assert (graded.code, graded.fault) == (DONE, "")
    assert graded.report is not None
    assert graded.report.submission.id == "submission_7"
    assert [report.score for report in seen] == [0, 0, 0, 2, 3]
    assert [is_judged(report) for report in seen[2:]] == [False, True, True]
    last = {q.id: q for q in seen[-1].questions}
    assert last["2c"].status is QuestionStatus.UNGRADED
    assert last["2c"].notes == (NOT_JUDGED,)
    assert last["1a"] == next(q for q in graded.report.questions if q.id == "1a")
    assert seen[-1].score + seen[-1].pending == graded.report.max_score


def test_hand_in_that_cannot_be_run(
    tiny: Assignment, answered: Callable[..., Submission], tmp_path: Path
) -> None:
    """What can be read and not be run, such as Python 2, is neither a success nor a zero."""
    path = tmp_path / "hw.ipynb"
    notebook = answered().notebook
    notebook.metadata.kernelspec = {"name": "python2", "display_name": "2", "language": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = f"print 'here'\n{cell.source}"
    nbformat.write(notebook, path)
    graded = grade_one(tiny.folder, path)
    assert graded.code == UNUSABLE
    assert "Python 2" in graded.fault
    assert graded.report is not None
    assert graded.report.pending == graded.report.max_score


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([QuestionStatus.PASSED, QuestionStatus.PENDING], DONE),
        ([QuestionStatus.PASSED, QuestionStatus.PARTIAL], FAILED),
        ([QuestionStatus.NOT_ATTEMPTED], FAILED),
        ([QuestionStatus.UNGRADED, QuestionStatus.PASSED], DONE),
    ],
)
def test_exit_code(report: Report, statuses: list[QuestionStatus], code: int) -> None:
    """1 where something that code answers lacks points."""
    questions = tuple(question(str(n), status) for n, status in enumerate(statuses))
    assert exit_code(replace(report, questions=questions)) == code


def test_exit_code_of_a_broken_check(report: Report) -> None:
    """3 where a check failed by nobody's fault here."""
    broken = question("1", QuestionStatus.UNGRADED, check(CheckStatus.ERROR, cause="author"))
    assert exit_code(replace(report, questions=(broken,))) == OUR_FAULT


def test_hand_in_that_cannot_be_read(tiny: Assignment, tmp_path: Path) -> None:
    """It gets a report that says why, and no points are taken."""
    graded = grade_one(tiny.folder, tmp_path)
    assert graded.code == UNUSABLE
    assert "hand in the notebook" in graded.fault
    assert graded.report is not None
    assert graded.report.pending == graded.report.max_score


def test_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assignment that is missing, and whatever breaks in the grader, raise nothing."""
    assert grade_one(tmp_path, tmp_path).code == UNUSABLE

    def broken(folder: object) -> Assignment:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(grading, "load_assignment", broken)
    graded = grade_one("tiny", tmp_path)
    assert (graded.report, graded.code) == (None, OUR_FAULT)
    assert graded.fault == "ZeroDivisionError: oops"
    assert "Traceback" in graded.details
