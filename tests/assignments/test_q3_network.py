"""The figures of q3_network that are the course's own, and what is special to its grading."""

from __future__ import annotations

import copy
import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grader import grade, load_assignment
from grader.alignment import align
from grader.audit import as_submission, load_mutants
from grader.checks import load_module
from grader.records import QuestionKind, QuestionStatus
from grader.release import cell_question
from reference import MLP, fit_full_batch

ASSIGNMENT = load_assignment("q3_network")
SCORES = Path(__file__).parents[1] / "reference" / "data" / "q3_network_scores.csv"
SIZES = [64, 32, 10]


@pytest.fixture(scope="module")
def checks() -> Iterator[None]:
    """Files in checks/ import one another by name."""
    sys.path.insert(0, str(ASSIGNMENT.checks))
    yield
    sys.path.remove(str(ASSIGNMENT.checks))


@pytest.fixture(scope="module")
def training(checks: None) -> ModuleType:
    """The training that the checks compare with."""
    return load_module(ASSIGNMENT.checks / "q3_network_training.py")


@pytest.fixture(scope="module")
def by_hand(checks: None) -> ModuleType:
    """The check of Q1.1."""
    return load_module(ASSIGNMENT.checks / "test_q1.py")


def digits() -> dict[str, np.ndarray]:
    """The course's data."""
    found: dict[str, np.ndarray] = load_module(ASSIGNMENT.folder / "data.py").digits()
    return found


def test_points_are_the_courses_own() -> None:
    """The questions' points add up to 100: 55 for code, 40 for text, 5 for a figure."""
    points = {
        kind: sum(q.points for q in ASSIGNMENT.questions if q.kind is kind) for kind in QuestionKind
    }
    assert points == {QuestionKind.CODE: 55, QuestionKind.WRITTEN: 40, QuestionKind.PLOT: 5}
    assert len(ASSIGNMENT.questions) == 12


def test_many_mistakes_are_named() -> None:
    """The report's name is held for at least 25 of the planted bugs."""
    assert len([mutant for mutant in load_mutants(ASSIGNMENT) if mutant.diagnosis]) >= 25


def test_files_are_made_of_the_digits() -> None:
    """The files hold 898 and 899 digits of 64 pixels, as data.py makes them, in little space."""
    made = load_module(ASSIGNMENT.folder / "data.py").csv_files()
    assert {f"dataset/{name}": text.encode() for name, text in made.items()} == ASSIGNMENT.files
    shapes = {
        name: np.loadtxt(text.splitlines(), delimiter=",").shape for name, text in made.items()
    }
    assert shapes["Digit_X_train.csv"] == (898, 64)
    assert shapes["Digit_X_test.csv"] == (899, 64)
    assert (shapes["Digit_y_train.csv"], shapes["Digit_y_test.csv"]) == ((898,), (899,))
    assert sum(map(len, ASSIGNMENT.files.values())) < 450_000


def test_output_by_hand(by_hand: ModuleType) -> None:
    """The small network's output is the course's 0.82."""
    assert by_hand.output() == 0.82


@pytest.mark.parametrize("reg_lambda", [0.0, 0.1])
@pytest.mark.parametrize("add_bias", [True, False])
@pytest.mark.parametrize(
    ("activations", "loss", "arguments"),
    [
        (("sigmoid", "softmax"), "cross_entropy_loss", {"loss": "cross_entropy"}),
        (
            ("sigmoid", "sigmoid"),
            "l2_loss",
            {"loss": "sum_squared_error", "output": "sigmoid"},
        ),
        (("tanh", "linear"), "l2_loss", {"loss": "sum_squared_error", "hidden": "tanh"}),
    ],
)
def test_checks_train_as_the_reference_does(
    training: ModuleType,
    activations: tuple[str, str],
    loss: str,
    arguments: dict[str, str],
    add_bias: bool,
    reg_lambda: float,
) -> None:
    """Loss curve and parameters of the checks' own training are the reference's."""
    sizes = (3, 7, 5)
    net = training.fresh_net(sizes, activations, loss)
    net = net if add_bias else training.without_biases(net)
    rngs = [np.random.default_rng(2) for _ in range(2)]
    model = MLP(sizes, rngs, add_bias=add_bias, **arguments)  # type: ignore[arg-type]
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(11, 3)), np.eye(5)[rng.integers(5, size=11)]
    settings = training.Settings(epochs=6, learning_rate=0.4, reg_lambda=reg_lambda)
    losses, trained = training.train(net, X, Y, settings)
    expected = fit_full_batch(model, X, Y, epochs=6, learning_rate=0.4, weight_decay=reg_lambda)
    assert_allclose(losses, expected, rtol=1e-12)
    for i in (0, 1):
        assert_allclose(trained.weights[i], model.parameters[f"W{i + 1}"], rtol=1e-11)
        bias = model.parameters.get(f"b{i + 1}", np.zeros(sizes[i + 1]))
        assert_allclose(trained.biases[i].ravel(), bias, rtol=1e-11)


@pytest.mark.parametrize(
    ("epochs", "rate", "decay"), [("10", "0.1", "0.01"), ("100", "1.0", "0.000")]
)
def test_printed_scores(
    training: ModuleType, checks: None, epochs: str, rate: str, decay: str
) -> None:
    """The checks' training and scores round to the course's three printed digits."""
    with SCORES.open(newline="", encoding="utf-8") as file:
        rows = {tuple(row.values())[:3]: row for row in csv.DictReader(file)}
    data, row = digits(), rows[epochs, rate, decay]
    scores_of = load_module(ASSIGNMENT.checks / "test_q3.py").scores_of
    net = training.fresh_net(SIZES, ("sigmoid", "softmax"), "cross_entropy_loss")
    settings = training.Settings(int(epochs), float(rate), float(decay))
    targets = np.eye(10)[data["y_train"]]
    net = training.train(net, data["X_train"], targets, settings)[1]
    for phase in ("train", "test"):
        printed = [float(row[f"{phase}_{score}"]) for score in ("accuracy", "f1")]
        assert_allclose(
            scores_of(net, data[f"X_{phase}"], data[f"y_{phase}"]), printed, atol=5.1e-4
        )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (r"$$a^{(2)} = \sigma(1.5304) \approx 0.82$$", 0.82),
        ("z = 1.53, so the output is **0.822**.", 0.822),
        ("خروجی شبکه = ۰٫۸۲", 0.82),
        (r"$\sigma(1.53) = \boxed{0.82}$", 0.82),
        ("the output ≈ 0.79", 0.79),
        ("the output = 0.82, rounded to 2 digits", None),
        ("a = 0.82 = 0.8", None),
        ("I get 0.82", None),
        ("no idea", None),
    ],
)
def test_result_in_a_text(by_hand: ModuleType, text: str, result: float | None) -> None:
    """A text's result is the number that it ends with, behind an equals sign, or in doubt."""
    assert by_hand.result_in(text) == result


@pytest.mark.parametrize(
    ("text", "status", "points"),
    [
        ("With the sigmoid, the output is $0.82$.", QuestionStatus.PASSED, 10.0),
        ("The output = 0.70", QuestionStatus.FAILED, 0.0),
        ("0.82, as I found with 3 nodes", QuestionStatus.UNGRADED, 0.0),
    ],
)
def test_an_answer_in_words(text: str, status: QuestionStatus, points: float) -> None:
    """A result in Markdown counts where there is no doubt about it, and else a person decides."""
    notebook = copy.deepcopy(ASSIGNMENT.release)
    answers = [cell for cell in notebook.cells if cell_question(cell) == "Q1.1"]
    next(cell for cell in answers if cell.id == "q1-1-steps").source = text
    # Nothing else is needed, nor run.
    notebook.cells = [c for c in notebook.cells if c.cell_type == "markdown"]
    alone = replace(ASSIGNMENT, questions=ASSIGNMENT.questions)
    question = grade(alone, as_submission(notebook, "words")).questions[0]
    assert (question.id, question.status, question.points) == ("Q1.1", status, points)


def test_hand_ins_of_the_course_are_found() -> None:
    """Without ids and metadata, in other words, and with ids in the answers, all is found."""
    notebook = copy.deepcopy(ASSIGNMENT.solution)
    expected = {}
    for number, cell in enumerate(notebook.cells):
        question, role = cell_question(cell), cell.metadata.get("nn_grader", {}).get("role")
        if role in ("answer", "given"):
            expected.setdefault(question, []).append(number)
        if role == "prompt":
            cell.source = f"### {question}: in quite other words than those of the release"
        if role == "answer" and cell.cell_type == "markdown":
            cell.source = f"**[Answer]**\n\n## {question}: mine\n\n### 1. So\n\n### 2. And so"
        cell.id = f"other-{number}"
    for cell in notebook.cells:
        cell.metadata.clear()
    found = {
        question: list(answer.cells) for question, answer in align(ASSIGNMENT, notebook).items()
    }
    assert found == expected
