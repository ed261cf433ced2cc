"""The figures of kiel_lab4 that are the course's own, follow-through, and a hand-in with Keras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader import grade, load_assignment
from grader.audit import Mutant, Variant, as_submission, plant, rewrite
from grader.checks import load_module
from grader.records import CheckStatus, QuestionKind, QuestionReport, QuestionStatus, Report
from grader.submission import Submission

ASSIGNMENT = load_assignment("kiel_lab4")
NET = load_module(ASSIGNMENT.checks / "kiel_lab4_net.py")
KERAS = """
import numpy as np, no_such_keras as keras
from no_such_keras.layers import Dense

predictions, errors = [], []
for run in range(4):
    model = keras.Sequential([Dense(20), Dense(1)])
    errors.append(model.evaluate(X_test, y_test))
mean, std = np.mean(errors), np.std(errors)
"""
TENSORS = """
class Tensor:
    def __init__(self, value):
        self.value = np.asarray(value)

    def __array__(self, dtype=None, copy=None):
        return self.value

predictions, errors = [], []
for width in (0.04, 0.05, 0.06, 0.07):
    features = lambda x: np.exp(-((x - np.linspace(0.4, 0.6, 5)) / width) ** 2)
    fitted = features(X_test) @ np.linalg.lstsq(features(X_train), y_train, rcond=None)[0]
    predictions.append(Tensor(fitted[:, None]))
    errors.append(np.mean((fitted - y_test) ** 2))
mean, std = Tensor(np.mean(errors)), Tensor(np.std(errors))
errors = [Tensor(error) for error in errors]
y_test = Tensor(y_test)
"""
TYPED = """
import no_such_keras
no_such_keras.Sequential()
# %%
errors = [0.01, 0.02, 0.03, 0.04]
mean = 0.025
std = 0.5
"""


def of(report: Report, question: str) -> QuestionReport:
    """The report on one question."""
    return next(q for q in report.questions if q.id == question)


def points(report: Report, question: str) -> dict[str, float]:
    """The points of each check of a question that did not get all of them."""
    checks = of(report, question).checks
    return {c.name: c.points for c in checks if c.points < c.max_points}


def with_bug(question: str, find: str, by: str) -> Report:
    """The report on the solution with a bug."""
    return grade(ASSIGNMENT, plant(ASSIGNMENT, Mutant("a bug", question, find, by, (question,))))


def with_keras(*sources: str) -> Report:
    """The report on the solution with 2b in Keras, where there is none."""
    submission = rewrite(ASSIGNMENT, Variant("keras", {"2b": sources[0]}))
    place = next(i for i, c in enumerate(submission.notebook.cells) if c.source == sources[0])
    for extra in reversed(sources[1:]):
        cell = submission.notebook.cells[place].copy()
        cell.update(id="extra", source=extra)
        submission.notebook.cells.insert(place + 1, cell)
    settings = replace(ASSIGNMENT.run, optional_modules=("no_such_keras",))
    return grade(replace(ASSIGNMENT, run=settings), submission)


def test_points() -> None:
    """The points add up to 40, of which code earns 11 and a person gives the others."""
    code = [q.points for q in ASSIGNMENT.questions if q.kind is QuestionKind.CODE]
    assert sum(q.points for q in ASSIGNMENT.questions) == 40.0
    assert sum(code) == 11.0
    wholes = {"2b": 5.0, "4b": 4.0}
    for whole, total in wholes.items():
        parts = [q.points for q in ASSIGNMENT.questions if whole in (q.id, q.part_of)]
        assert sum(parts) == total


def test_forward_tables() -> None:
    """The tables that the checks compute are the course's."""
    tables = NET.forward()
    assert tables.z1.tolist() == [[-1, 1, -2, 2], [-2, 3, 1, -8]]
    assert tables.a1.tolist() == [[0, 1, 0, 2], [0, 3, 1, 0]]
    assert tables.y_hat.tolist() == [2, -3]


def test_step() -> None:
    """The step is the one that comes out by hand, and each named mistake differs from it."""
    tables = NET.forward()
    new = NET.step(NET.gradients(tables, tables.z1 > 0), 1.0)
    assert new["W1"].tolist() == [[1, 2], [0, -1], [-5, -1], [0, 0]]
    assert new["b1"].tolist() == [-2, 2, -2, -4]
    assert new["W2"].tolist() == [[1, 5, 1, 0]]
    assert new["b2"] == -1.0
    known = NET.mistakes(tables, 1.0)
    assert known.keys() == NET.SENTENCES.keys()
    for code, wrong in known.items():
        assert any(not np.allclose(wrong[name][1], new[name]) for name in NET.TABLES), code


def test_data() -> None:
    """The stand-in has 35 points of the peaked curve, in the course's columns."""
    text = ASSIGNMENT.files["nndl/Lab4/Eckerle4.csv"].decode()
    assert text.splitlines()[0] == "y,x"
    y, x = np.loadtxt(text.splitlines()[1:], delimiter=",").T
    peak = 1.5543827178 / 4.0888321754
    model = peak * np.exp(-0.5 * ((x - 451.54121844) / 4.0888321754) ** 2)
    assert (len(x), x[0], x[-1]) == (35, 400.0, 500.0)
    assert np.abs(y - model).max() < 0.02


@pytest.mark.parametrize(
    ("find", "by", "lost"),
    [
        ("z1 = X @ W1.T + b1", "z1 = X @ W1.T + b1; z1[1, 3] = 8.0", {"test_z1"}),
        ("z1 = X @ W1.T + b1", "z1 = X @ W1.T", {"test_z1"}),
        ("a1 = np.maximum(z1, 0.0)", "a1 = z1", {"test_a1"}),
        ("y_hat = a1 @ W2[0] + b2", "y_hat = a1 @ W2[0]", {"test_y_hat"}),
    ],
)
def test_a_wrong_table_costs_its_own_part(find: str, by: str, lost: set[str]) -> None:
    """What follows from a wrong table, and the step that belongs to it, keep their points."""
    assert points(with_bug("2a", find, by), "2a").keys() == lost


def test_tables_that_make_no_step() -> None:
    """Outputs typed as the targets leave the weights as they are: that is no step."""
    report = with_bug("2a", "y_hat = a1 @ W2[0] + b2", "y_hat = y.copy()")
    assert len(points(report, "2a")) == 6
    assert of(report, "2a").points == 6.0 - 0.75 - 2.75 - 0.75


def test_the_forgotten_half_costs_little() -> None:
    """Twice the step is one small mistake: each table keeps three quarters."""
    report = with_bug("2a", "delta2 = y_hat - y", "delta2 = 2 * (y_hat - y)")
    assert of(report, "2a").points == pytest.approx(6.0 - 2.75 / 4)


def test_tensors() -> None:
    """What stays an object of a library's own is read as the array that it holds."""
    report = grade(ASSIGNMENT, rewrite(ASSIGNMENT, Variant("tensors", {"2b": TENSORS})))
    assert points(report, "2b") == {}


def test_keras_is_missing() -> None:
    """2b is left to a person, and everything else is graded as it is."""
    report = with_keras(KERAS)
    question = of(report, "2b")
    assert question.status is QuestionStatus.UNGRADED
    assert {c.status for c in question.checks} == {CheckStatus.SKIPPED}
    assert {c.cause for c in question.checks} == {"environment"}
    assert report.score == 8.0
    assert any("skipped: needs no_such_keras, which is not installed" in n for n in report.notes)


def test_typed_errors_are_judged() -> None:
    """Without Keras, mean and standard deviation of errors that were typed are still judged."""
    training, typed = TYPED.split("# %%\n")
    statuses = {c.name: c.status for c in of(with_keras(training, typed), "2b").checks}
    assert statuses.pop("test_std") is CheckStatus.FAILED
    assert statuses.pop("test_errors") is CheckStatus.SKIPPED
    assert set(statuses.values()) == {CheckStatus.PASSED}


def test_a_hand_in_without_metadata() -> None:
    """Letters below "Exercise 2" are enough to find every answer, experiments included."""
    submission = rewrite(ASSIGNMENT, Variant("bare", {"4b": "print('nothing')"}))
    bare: Submission = as_submission(submission.notebook, "bare")
    for number, cell in enumerate(bare.notebook.cells):
        cell.metadata.clear()
        cell.id = f"cell-{number}"
    report = grade(ASSIGNMENT, bare)
    assert report.score == 9.0
    skipped = [run.cell for run in report.execution if run.status == "skipped"]
    assert [of(report, q).cells[0] for q in ("3", "4a", "4c")] == skipped
    cells = ", ".join(map(str, skipped))
    told = f"cells {cells} skipped: it is an experiment; the recorded outputs stand"
    assert told in report.notes
