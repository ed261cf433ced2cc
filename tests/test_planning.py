"""What is not run, what is run otherwise, and how a graded hand-in tells it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nbformat.v4 import new_output

from grader import grade
from grader.alignment import align
from grader.assignment import Assignment, Experiments
from grader.execution.plan import CellPlan
from grader.planning import RunPlan, plan_run
from grader.records import CheckStatus, QuestionReport, QuestionStatus, Report
from grader.session import open_session
from grader.submission import Submission

KERAS = "import numpy as np, no_such_keras as keras\nfrom no_such_keras.layers import Dense"
TRAINS = "total = 0.0\nnum_epochs = 300\ntotal = keras.fit(num_epochs)"
LONG = "steps = 10**9\ntotal = 0\nfor k in range(steps):\n    total += 7"


@pytest.fixture
def with_run(tiny: Assignment) -> Callable[..., Assignment]:
    """The tiny assignment with an experiment in 2c, and these settings of `[run]`."""

    def make(*, marked: bool = True, **settings: Any) -> Assignment:
        solution = copy.deepcopy(tiny.solution)
        solution.cells[14].metadata.nn_grader["experiment"] = marked
        return replace(tiny, solution=solution, run=replace(tiny.run, **settings))

    return make


def plan(assignment: Assignment, submission: Submission) -> RunPlan:
    """The plan for a hand-in."""
    return plan_run(assignment, align(assignment, submission.notebook), submission.notebook)


def of(report: Report, question: str) -> QuestionReport:
    """The report on one question."""
    return next(q for q in report.questions if q.id == question)


def test_experiments_are_skipped_by_default(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """A marked cell is not run, whether or not the hand-in kept ids and metadata."""
    for strip in (False, True):
        made = plan(with_run(), answered(strip=strip))
        assert made.cells == {14: CellPlan(skip="it is an experiment")}
        assert made.skipped == {14}
    assert plan(with_run(marked=False), answered()) == RunPlan()


def test_cells_of_the_students_own(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """A cell added to an experiment is one too; a mark of the student's own counts for nothing."""
    submission = answered()
    extra = copy.deepcopy(submission.notebook.cells[14])
    extra.update(id="extra", metadata={}, source="more = 1")
    submission.notebook.cells.insert(15, extra)
    submission.notebook.cells[4].metadata.nn_grader["experiment"] = True
    assert plan(with_run(), submission).skipped == {14, 15}


def test_experiments_that_are_run(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """Run, an experiment has its constants replaced, and a budget."""
    assignment = with_run(
        experiments=Experiments.RUN, override={"steps": 2}, experiment_seconds=7.0
    )
    cell = plan(assignment, answered(**{"q2c-answer": LONG, "imports": "steps = 5"})).cells[14]
    assert cell.source == LONG.replace("10**9", "2")
    assert (cell.note, cell.seconds) == ("was run with steps = 2 in place of 10**9", 7.0)


def test_imports_of_missing_modules(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """Only optional modules that are not installed are taken out of a cell."""
    submission = answered(imports=KERAS)
    optional = ("no_such_keras.layers", "numpy")
    made = plan(with_run(marked=False, optional_modules=optional), submission)
    assert made.cells[1].source == "import numpy as np\npass"
    assert made.removed == {1: {"keras": "no_such_keras", "Dense": "no_such_keras"}}
    assert made.missing == {"no_such_keras"}
    assert plan(with_run(marked=False), submission) == RunPlan()


def test_a_skipped_experiment_in_the_report(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """Its check is not judged and costs nothing, its recorded outputs are shown, and it is told."""
    submission = answered(**{"q2c-answer": "raise ValueError"})
    submission.notebook.cells[14].outputs = [new_output("stream", text="0.93")]
    report = grade(with_run(), submission)
    question = of(report, "2c")
    told = "cell 14 skipped: it is an experiment; the recorded outputs stand"
    assert told in report.notes
    assert told in question.notes
    assert question.answer[0].outputs[0].data == "0.93"
    # Its code defines no total, as far as can be seen: a person has to look.
    assert question.status is QuestionStatus.UNGRADED


def test_an_experiment_is_not_charged(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """What a skipped cell would have defined cannot be judged, and waits for a person."""
    report = grade(with_run(), answered())
    question = of(report, "2c")
    assert (question.status, question.points) == (QuestionStatus.UNGRADED, 0.0)
    check = question.checks[0]
    assert (check.status, check.cause) == (CheckStatus.SKIPPED, "environment")
    assert "needs what cell 14 defines, an experiment" in check.message
    assert (report.score, report.pending) == (3.0, 2.0)


def test_an_experiment_that_is_run_is_judged(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """With its constants replaced it is judged as any other, and the replaced ones are told."""
    assignment = with_run(experiments=Experiments.RUN, override={"steps": 2})
    report = grade(assignment, answered(**{"q2c-answer": LONG}))
    assert of(report, "2c").status is QuestionStatus.PASSED
    told = "cell 14 was run with steps = 2 in place of 10**9"
    assert told in report.notes
    assert told in of(report, "2c").notes


def test_a_missing_module_in_the_report(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """numpy stays, what needs the module is left ungraded, and everything else is graded."""
    assignment = with_run(marked=False, optional_modules=("no_such_keras",))
    report = grade(assignment, answered(imports=KERAS, **{"q2c-answer": TRAINS}))
    needs = "needs no_such_keras, which is not installed here"
    assert f"cell 14 skipped: {needs}; the recorded outputs stand" in report.notes
    assert "cell 1 was run without its imports of no_such_keras" in report.notes
    assert (report.score, report.pending) == (3.0, 2.0)
    question = of(report, "2c")
    assert question.status is QuestionStatus.UNGRADED
    assert question.checks[0].message.startswith(f"not judged, because the answer {needs}")


def test_without_the_setting_the_same_is_charged(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """A module that the assignment does not name is the student's own matter."""
    report = grade(with_run(marked=False), answered(**{"q2c-answer": KERAS + "\n" + TRAINS}))
    assert of(report, "2c").status is QuestionStatus.FAILED
    assert report.execution[-1].error.startswith("ModuleNotFoundError")


def test_a_skipped_experiment_that_a_check_asks_for(
    with_run: Callable[..., Assignment], answered: Callable[..., Submission]
) -> None:
    """Its code is there to be run, behind what earlier skipped cells define in no time."""
    defining = "import math\nsize: int = 2\nn = 3\nn = len('x')\ndef f():\n    return n\nprint(f())"
    submission = answered(**{"q2c-answer": "total = f() + 1"})
    extra = copy.deepcopy(submission.notebook.cells[14])
    extra.update(id="extra", metadata={}, source=defining)
    submission.notebook.cells.insert(12, extra)
    assignment = with_run()
    assignment.solution.cells[12].metadata.nn_grader["experiment"] = True
    with open_session(assignment, submission) as session:
        skipped = session.plan.skipped
        question = session.answered("2c")
    assert skipped == {12, 13, 15}
    assert question.sources == ()
    earlier, _, own = question.experiments
    assert earlier == "import math\nn = 3\n\ndef f():\n    return n"
    assert own == "total = f() + 1"
