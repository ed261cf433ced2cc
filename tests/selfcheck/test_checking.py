"""The visible checks of some questions, and no more of the notebook than they need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.errors import UsageError
from grader.execution.isolation import Level
from grader.records import CheckStatus, QuestionStatus
from grader.reports import from_json, to_json
from grader.selfcheck.checking import NO_CHECK, check_at_home, exit_code, select
from grader.selfcheck.finding import find_work

Answered = Callable[..., object]


def test_select(tiny: Assignment) -> None:
    """An id stands for its question, the beginning of ids for all that code answers."""
    assert select(tiny, []) is None
    assert select(tiny, ["1A"]) == {"1a"}
    assert select(tiny, ["2", "1a"]) == {"1a", "2a", "2c"}
    with pytest.raises(UsageError, match="no question '3'; code is asked for in 1a, 2a, 2c"):
        select(tiny, ["3"])
    with pytest.raises(UsageError, match="1b is read by a person"):
        select(tiny, ["1b"])


def test_one_question(tiny: Assignment, answered: Answered) -> None:
    """Cells after the question are not run; hidden checks are neither run nor counted."""
    broken = "square = square_grad = lambda x: 3 * x"
    report = check_at_home(tiny, answered(**{"q1a-answer": broken}), {"1a"})  # type: ignore[arg-type]
    assert [question.id for question in report.questions] == ["1a"]
    assert {check.name: check.status for check in report.questions[0].checks} == {
        "test_square": CheckStatus.FAILED,
        "test_square_grad": CheckStatus.FAILED,
    }
    assert report.max_score == 2.0
    assert [run.cell for run in report.execution] == [1, 4, 5]
    assert exit_code(report) == 1
    assert from_json(to_json(report)) == report


def test_without_checks(at_home: Path, write: Callable[..., Path]) -> None:
    """Without a check at home a question is not judged, and nothing has failed."""
    write()
    for path in (at_home / "checks").glob("*.py"):
        path.write_text(path.read_text().replace('"1a", points', '"2c", points'))
    work = find_work(start=at_home)
    report = check_at_home(work.assignment, work.read(), isolation=Level.NONE)
    found = {question.id: question for question in report.questions}
    assert found["2a"].status is QuestionStatus.PASSED
    assert found["1a"].notes == (NO_CHECK,)
    assert exit_code(report) == 0
