"""2.a2: the training function that is handed out, tried with the student's gradient."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from aalto_ex09_shared import Sizes, make_case

from grader.checks import assert_close
from reference.training import a2

FIGURE = re.compile(r"-?\d+\.\d+(?:[eE][+-]?\d+)?")
NAMES = ("train", "val", "test")
# A few cases instead of the file, no figures, and no gradient test of the notebook's own, which
# would only take time. `np.Inf`, by which the course begins, is gone from NumPy 2.
STAGE = """
import contextlib as _contextlib, io as _io, sys as _sys, numpy as _numpy

class _Nothing:
    def __getattr__(self, name):
        return self
    def __call__(self, *arguments, **keywords):
        return self

def _no_test(*arguments, **keywords):
    pass

def _few_cases(*arguments, **keywords):
    return {part: {k: a.copy() for k, a in data.items()} for part, data in _parts.items()}

def _set_parts(parts):
    global _parts
    _parts = parts

def _printed(*arguments):
    with _contextlib.redirect_stdout(_io.StringIO()) as text:
        a2(*arguments)
    return text.getvalue()

plt, test_gradient, from_data_file = _Nothing(), _no_test, _few_cases
data_dir = "."
if "utils" in _sys.modules:
    _sys.modules["utils"].from_data_file = _few_cases
if not hasattr(_numpy, "Inf"):
    _numpy.Inf = _numpy.inf
"""


@dataclass(frozen=True)
class Settings:
    """The arguments of a2, in its order."""

    weight_decay: float
    n_hid: int
    n_iterations: int
    learning_rate: float
    momentum: float
    early_stopping: bool
    batch_size: int

    @property
    def arguments(self):
        return tuple(vars(self).values())


MOMENTUM = Settings(0.002, 3, 20, 0.4, 0.7, False, 4)
EARLY = Settings(0.0, 4, 20, 3.0, 0.9, True, 6)


def few_cases():
    """Data of the course's form; the mini-batches of a2 do not divide its training cases."""
    sizes = Sizes(256, 1, 10)
    counts = dict(zip(NAMES, (23, 13, 11), strict=True))
    return {name: make_case(n, sizes, n).data for name, n in counts.items()}


def expected_figures(settings):
    """All figures that a2 prints, in their order."""
    data = few_cases()
    found = a2(*settings.arguments, data)
    every = round(settings.n_iterations / 10)
    losses = np.stack([found.training_losses, found.validation_losses], axis=1)
    final = [
        (found.loss[name], found.classification_loss[name], found.error_rate[name])
        for name in NAMES
    ]
    return np.concatenate([losses[every - 1 :: every].ravel(), np.ravel(final)])


def assert_figures(student, settings):
    """The student's a2 prints the figures of the reference."""
    student.function("a2")
    student.execute(STAGE)
    student._set_parts(few_cases())
    printed = student._printed(*settings.arguments)
    found = [float(figure) for figure in FIGURE.findall(str(printed))]
    expected = expected_figures(settings)
    assert len(found) == len(expected), (
        f"a2 prints {len(found)} figures, where the one that is handed out prints {len(expected)}"
    )
    assert_close(found, expected, name="the figures that a2 prints", relative_tolerance=1e-6)


@pytest.mark.question("2.a2", points=1, needs=["2"])
def test_momentum(student):
    """a2, with momentum and weight decay, prints the losses that a right gradient leads to."""
    assert_figures(student, MOMENTUM)


@pytest.mark.question("2.a2", points=1, needs=["2"])
def test_early_stopping(student):
    """a2 with early stopping ends with the model of the lowest validation loss."""
    assert_figures(student, EARLY)
