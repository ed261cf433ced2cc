"""Who needs a look, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.batch.attention import Concern, Reason, needs_a_look
from grader.batch.statistics import summarise
from grader.records import CellEnding, CellRun, CellStatus, CheckStatus, QuestionStatus

Make = Callable[..., Any]
UNGRADED = {"status": QuestionStatus.UNGRADED}


def reasons(report: Any, *by_hand: str) -> list[tuple[Concern, tuple[str, ...]]]:
    """The concerns and their questions."""
    found = needs_a_look(report, by_hand)
    return [(reason.concern, reason.questions) for reason in found.reasons] if found else []


def test_nobody(check: Make, question: Make, report: Make) -> None:
    """What is right, wrong or waits for its points as planned needs no look."""
    waiting = question("q2", status=QuestionStatus.PENDING)
    wrong = question("q3", 0, check("a", False))
    assert needs_a_look(report("s", question("q1", 4, check("a")), waiting, wrong)) is None


@pytest.mark.parametrize(
    ("fields", "concern"),
    [
        ({"status": CheckStatus.ERROR, "cause": "grader"}, Concern.GRADER_FAULT),
        ({"status": CheckStatus.ERROR, "cause": "author"}, Concern.CHECK_FAULT),
        ({"status": CheckStatus.INCONCLUSIVE, "cause": "grader"}, Concern.UNDECIDED),
        ({"status": CheckStatus.SKIPPED, "cause": "environment"}, Concern.NOT_RUN),
    ],
)
def test_ungraded_by_a_check(
    check: Make, question: Make, report: Make, fields: dict[str, Any], concern: Concern
) -> None:
    """A question that a check left open says whose fault it was; questions of a kind are joined."""
    questions = [question(q, 0, check("a", False, **fields), **UNGRADED) for q in ("q1", "q2")]
    assert reasons(report("s", *questions)) == [(concern, ("q1", "q2"))]


def test_ungraded_without_a_check(question: Make, report: Make) -> None:
    """Where no check tells why, the question's note does."""
    found = needs_a_look(report("s", question("q1", notes=("no cell matched",), **UNGRADED)))
    assert found is not None
    assert found.reasons == (Reason(Concern.UNGRADED, ("q1",), "no cell matched"),)


def test_nothing_was_graded(question: Make, report: Make) -> None:
    """A submission that could not be graded at all has one reason: the report's own."""
    lost = report("s", question("q1", **UNGRADED), environment={}, notes=("not a notebook",))
    found = needs_a_look(lost)
    assert found is not None
    assert found.reasons == (Reason(Concern.NOT_GRADED, (), "not a notebook"),)


def test_what_a_person_has_decided_is_done(question: Make, report: Make) -> None:
    """A question that a person gave points for needs no other look."""
    one = report("s", question("q1", **UNGRADED), question("q2", **UNGRADED))
    assert reasons(one, "q1") == [(Concern.UNGRADED, ("q2",))]
    assert reasons(one, "q1", "q2") == []


def test_crashed(question: Make, report: Make) -> None:
    """A cell that ended its kernel is named; one that raised is the student's alone."""
    runs = (
        CellRun(3, CellStatus.ERROR, 0.1, "NameError: x"),
        CellRun(5, CellStatus.ERROR, 0.1, "ended its kernel", CellEnding.DIED),
        CellRun(7, CellStatus.SKIPPED, 0.0, "out of time", CellEnding.NOT_REACHED),
    )
    found = needs_a_look(report("s", question("q1", 4), execution=runs))
    assert found is not None
    assert found.reasons == (Reason(Concern.CRASHED, (), "cell 5, 7: ended its kernel"),)


def test_an_uncertain_place(question: Make, report: Make) -> None:
    """An answer that is found with little confidence is shown, if it did not pass."""
    for confidence, found in ((0.5, [(Concern.UNSURE, ("1a",))]), (0.95, []), (None, [])):
        assert reasons(report("s", question("1a", 0, confidence=confidence))) == found
        assert reasons(report("s", question("1a", 4, confidence=confidence))) == []


def test_cells_that_were_not_found(question: Make, report: Make) -> None:
    """A question that is left open as its cells are uncertain says so, whatever its checks say."""
    lost = question("1a", 0, confidence=0.0, notes=("it may be cell 3", "and more"), **UNGRADED)
    found = needs_a_look(report("s", lost))
    assert found is not None
    assert found.reasons == (Reason(Concern.UNSURE, ("1a",), "it may be cell 3"),)


def test_a_solution(question: Make, report: Make) -> None:
    """A hand-in with the solution's markers is shown."""
    note = "this notebook still has the markers of an assignment's solution"
    assert reasons(report("s", question("q1", 4), notes=(note,))) == [(Concern.SOLUTION, ())]


def test_the_gravest_come_first(question: Make, report: Make, graded: Make) -> None:
    """Submissions of which nothing is graded stand before those with an odd cell."""
    died = CellRun(5, CellStatus.ERROR, 0.1, "died", CellEnding.DIED)
    crashed = report("a", question("q1", 4), execution=(died,))
    lost = report("b", question("q1", **UNGRADED), environment={})
    looks = summarise([graded(crashed), graded(lost)]).attention
    assert [look.submission for look in looks] == ["b", "a"]
