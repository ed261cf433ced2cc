"""Who is charged for names that are missing: never a student whose cell could not run here."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from grader.losses import Losses, absent_module, find_losses
from grader.planning import RunPlan
from grader.records import CellEnding, CellRun, CellStatus
from grader.rewriting import STAR

TENSORFLOW = "needs tensorflow, which is not installed here"
PLAN = RunPlan({}, {0: {"tf": "tensorflow", "Dense": "tensorflow"}}, frozenset(["tensorflow"]))


def raised(cell: int, error: str) -> CellRun:
    """A cell that raised."""
    return CellRun(cell, CellStatus.ERROR, 0.1, error, CellEnding.RAISED)


def undefined(cell: int, name: str) -> CellRun:
    """A cell that met an undefined name."""
    return raised(cell, f"NameError: name '{name}' is not defined")


def ran(cell: int) -> CellRun:
    """A cell that ran."""
    return CellRun(cell, CellStatus.OK, 0.1)


def skipped(cell: int) -> CellRun:
    """An experiment."""
    return CellRun(cell, CellStatus.SKIPPED, 0.0, "it is an experiment", CellEnding.EXPERIMENT)


def find(sources: list[str], *runs: CellRun, plan: RunPlan = PLAN) -> Losses:
    """The losses of a notebook of these code cells."""
    return find_losses(dict(enumerate(sources)), runs, plan)


def endings(losses: Losses) -> list[str]:
    """How each cell ended."""
    return [run.ending.value for run in losses.runs]


def test_a_cell_that_needs_the_module() -> None:
    """It counts as skipped and says why; what it would have defined is lost."""
    losses = find(["pass", "model = Dense(3)\nx = 1"], ran(0), undefined(1, "Dense"))
    assert losses.runs[1].status is CellStatus.SKIPPED
    assert losses.runs[1].error == TENSORFLOW
    assert losses.lost[1].keys() == {"tf", "Dense", "model", "x"}


def test_cells_that_need_such_a_cell() -> None:
    """The want is handed on along the names, through cells, functions and values."""
    losses = find(
        ["pass", "model = tf.f()", "errors = model.g()", "def f():\n    return errors", "y = f()"],
        *(ran(0), undefined(1, "tf"), undefined(2, "model"), ran(3), ran(4)),
    )
    assert endings(losses)[1:] == ["unavailable", "unavailable", "finished", "finished"]
    assert losses.excuse([4], ["y"]) == TENSORFLOW
    assert losses.excuse([3], ["f"]) == TENSORFLOW


def test_the_students_own_errors_are_charged() -> None:
    """Other undefined names, other exceptions and later definitions are the student's own."""
    losses = find(
        ["np = 1", "undefined + tf", "1 / 0", "tf = 3", "tf.x"],
        *(ran(0), undefined(1, "undefined"), raised(2, "ZeroDivisionError: x"), ran(3)),
        undefined(4, "tf"),
    )
    assert endings(losses) == ["finished", "raised", "raised", "finished", "raised"]
    assert losses.excuse([3], ["tf"]) == ""


def test_what_is_defined_anew_counts_again() -> None:
    """Numbers typed after a cell that could not run are judged."""
    losses = find(
        ["pass", "errors = [tf.f()]", "errors = [1, 2]\nmean = sum(errors) / 2\nrest = mean + tf"],
        *(ran(0), undefined(1, "tf"), ran(2)),
    )
    assert losses.excuse([1], ["errors"]) == TENSORFLOW
    assert losses.excuse([1, 2], ["errors", "mean"]) == ""
    assert losses.excuse([1, 2], ["rest"]) == TENSORFLOW


def test_an_answer_in_another_form() -> None:
    """Names that no cell defines are charged only where all of the question's cells were run."""
    losses = find(["pass", "tf.f()", "print(1)"], ran(0), undefined(1, "tf"), ran(2))
    assert losses.excuse([1, 2], ["errors"]) == TENSORFLOW
    assert losses.excuse([2], ["errors"]) == ""


def test_the_answer_as_a_whole() -> None:
    """A check of the output is excused where a cell of the question itself could not run."""
    losses = find(["pass", "tf.f()", "print(1)"], ran(0), undefined(1, "tf"), ran(2))
    assert losses.excuse([1, 2], [STAR]) == TENSORFLOW
    assert losses.excuse([2], [STAR]) == ""
    assert losses.excuse([], [STAR, "tf"]) == ""


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        ("ModuleNotFoundError: No module named 'tensorflow.keras'", "unavailable"),
        ("ModuleNotFoundError: No module named 'tensorflow'", "unavailable"),
        ("ModuleNotFoundError: No module named 'torch'", "raised"),
    ],
)
def test_imports_inside_of_functions(error: str, ending: str) -> None:
    """An import that fails at its call is excused for the optional modules alone."""
    assert endings(find(["f()"], raised(0, error), plan=PLAN)) == [ending]


def test_imports_that_the_code_guards_or_delays() -> None:
    """A function that imports when it is called, and a name that may be None, are lost too."""
    sources = [
        "def build():\n    from tensorflow import keras\n    return keras",
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\nplain = 1",
    ]
    losses = find(sources, ran(0), ran(1), plan=RunPlan(missing=frozenset(["tensorflow"])))
    assert losses.excuse([0], ["build"]) == TENSORFLOW
    assert losses.excuse([1], ["tf"]) == TENSORFLOW
    assert losses.excuse([1], ["plain"]) == ""


def test_all_that_a_cell_needs() -> None:
    """A cell of several missing modules stops at the first of them, and all are named."""
    plan = RunPlan({}, {0: {"pd": "pandas", "tf": "tensorflow"}}, frozenset(["tensorflow"]))
    losses = find(["pd.f(tf)"], undefined(0, "pd"), plan=plan)
    assert losses.runs[0].error == "needs pandas and tensorflow, which are not installed here"


def test_experiments() -> None:
    """What only a skipped experiment defines may be missing later."""
    losses = find(
        ["net = 1", "print(net)", "print(other)"],
        *(skipped(0), undefined(1, "net"), undefined(2, "other")),
        plan=RunPlan(),
    )
    assert endings(losses) == ["experiment", "unavailable", "raised"]
    assert "cell 0 defines, an experiment" in losses.runs[1].error


def test_star_imports() -> None:
    """After `from keras import *` any name that no cell defines may have come from there."""
    removed: Mapping[int, Mapping[str, str]] = {0: {STAR: "keras"}}
    plan = RunPlan({}, removed, frozenset(["keras"]))
    losses = find(
        ["pass", "Dense(3)", "mine", "mine = 1"],
        ran(0),
        *(undefined(1, "Dense"), undefined(2, "mine"), ran(3)),
        plan=plan,
    )
    assert endings(losses) == ["finished", "unavailable", "raised", "finished"]


def test_cells_that_cannot_be_parsed() -> None:
    """They change nothing."""
    losses = find(["pass", "def ("], ran(0), raised(1, "SyntaxError: invalid"))
    assert endings(losses) == ["finished", "raised"]
    assert losses.lost[1].keys() == {"tf", "Dense"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("your code raised ModuleNotFoundError: No module named 'tensorflow.keras'", TENSORFLOW),
        ("your code raised ModuleNotFoundError: No module named 'tensorflows'", ""),
        ("your code raised ValueError: tensorflow", ""),
    ],
)
def test_a_module_that_a_file_needs(error: str, expected: str) -> None:
    """Only an error that names a module which may be missing here is a reason."""
    assert absent_module(error, {"tensorflow"}) == expected
