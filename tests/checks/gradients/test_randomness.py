"""Functions that draw random numbers, in this process and in a real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.checks import check_gradient
from grader.execution.limits import Limits
from grader.execution.probing import reached_level
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.execution.student import AnsweredQuestion, Student
from grader.records import CheckStatus

NOTEBOOK = """
import numpy as np

rng = np.random.default_rng(1)

def loss(x):
    return np.sum(np.sin(x) * (rng.random(x.shape) > 0.4)) + x[0]

def gradient(x):
    mask = rng.random(x.shape) > 0.4
    return np.cos(x) * mask + np.eye(len(x))[0]

def unmasked(x):
    rng.random(x.shape)
    return np.cos(x) + np.eye(len(x))[0]

def global_loss(x):
    return np.sum(np.sin(x) * (np.random.rand(*x.shape) > 0.4)) + x[0]

def global_gradient(x):
    return np.cos(x) * (np.random.rand(*x.shape) > 0.4) + np.eye(len(x))[0]

class Dropout:
    def __init__(self, rng):
        self.rng = rng
    def forward(self, x):
        self.mask = self.rng.random(x.shape) > 0.4
        return x * self.mask
    def backward(self, dy):
        return dy * self.mask

def hardware(x):
    import os
    return float(np.sum(x)) + int.from_bytes(os.urandom(4), "big")
"""
AT = np.array([0.3, -1.2, 0.7, 2.1, -0.4, 0.9])


@pytest.fixture(scope="module")
def question() -> Iterator[AnsweredQuestion]:
    """The notebook, run in the strongest sandbox of this machine."""
    with ExitStack() as stack:
        room = stack.enter_context(Room({}, "hand-in.ipynb"))
        execution = run_notebook(
            new_notebook(cells=[new_code_cell(NOTEBOOK)]),
            [0, 1],
            room,
            Limits(cell=10, notebook=60, check=20, interrupt=1),
            level=reached_level(),
        )
        stack.callback(execution.close)
        snapshots = execution.snapshots
        yield AnsweredQuestion(snapshots[0], snapshots[1], (NOTEBOOK,), "", 20)


@pytest.fixture
def student(question: AnsweredQuestion) -> Iterator[Student]:
    """The student's namespace."""
    student = Student(question)
    yield student
    student.close()


@pytest.mark.parametrize(("f", "grad"), [("loss", "gradient"), ("global_loss", "global_gradient")])
def test_generators_in_the_sandbox(student: Student, f: str, grad: str) -> None:
    """Dropout is differenced with one mask, whichever generator draws it."""
    result = check_gradient(student[f], student[grad], at=AT)
    assert result.status is CheckStatus.PASSED
    assert "were repeated" in result.message


def test_authors_function_around_the_students(student: Student) -> None:
    """A function of the author's that calls the student's repeats their numbers as well."""
    f, grad = (lambda x: student.loss(x)), (lambda x: student.gradient(x))  # noqa: PLW0108
    result = check_gradient(f, grad, at=AT)
    assert result.status is CheckStatus.PASSED


def test_generator_that_a_layer_was_given(student: Student) -> None:
    """A layer's own generator is reached through its handle."""
    layer, upstream = student.Dropout(student.generator(3)), np.linspace(1, 2, AT.size)
    forward = layer.forward.as_function()

    def backward(x: np.ndarray) -> np.ndarray:
        layer.forward(x)
        return np.asarray(layer.backward(upstream))

    result = check_gradient(forward, backward, at=AT, upstream=upstream)
    assert result.status is CheckStatus.PASSED


def test_forgotten_mask_fails(student: Student) -> None:
    """With the mask repeated, a gradient without it is wrong and not only undecided."""
    result = check_gradient(student.loss, student.unmasked, at=AT, raises=False)
    assert result.status is CheckStatus.FAILED


def test_numbers_that_cannot_be_repeated(student: Student) -> None:
    """What no generator in reach draws stays inconclusive."""
    result = check_gradient(student.hardware, np.ones_like, at=AT, raises=False)
    assert result.status is CheckStatus.INCONCLUSIVE
    assert "not deterministic" in result.message
