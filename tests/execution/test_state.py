"""The random state of a student's process: kept, and put back before each call."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from grader.execution.inside.state import MAX_OBJECTS, RandomStates
from grader.execution.snapshots import Copy
from grader.execution.student import AnsweredQuestion, RandomState, Student

NOTEBOOK = """
import random
import numpy as np
from numpy.random import default_rng, rand

rng = default_rng(1)

class Dropout:
    def __init__(self):
        self.rng = default_rng(2)
        self.old = np.random.RandomState(3)
    def draw(self, _=None):
        return self.rng.random() + self.old.rand()

def from_global(_=None): return np.random.rand()
def from_imported(_=None): return rand()
def from_random(_=None): return random.random()
def from_rng(_=None): return rng.random()
def from_default(_=None, rng=default_rng(4)): return rng.random()
def in_closure(own=None):
    own = default_rng(5)
    return lambda _=None: own.random()

class Liar:
    def __getattribute__(self, name):
        raise RuntimeError(name)

liar = Liar()
closure = in_closure()
in_list = [{"deep": (default_rng(6),)}]
def from_list(_=None): return in_list[0]["deep"][0].random()
layer = Dropout()
itself = []
itself.append(itself)
"""
DRAWING = [
    *("from_global", "from_imported", "from_random", "from_rng", "from_default"),
    *("closure", "from_list"),
]


@pytest.fixture(scope="module")
def question(run_cells: Callable[..., Any]) -> AnsweredQuestion:
    """A notebook that draws in many ways."""
    ran = run_cells(NOTEBOOK)
    assert ran.run(0).error == ""
    snapshots = ran.execution.snapshots
    return AnsweredQuestion(snapshots[0], snapshots[1], (NOTEBOOK,), "", 10)


@pytest.fixture
def student(question: AnsweredQuestion) -> Iterator[Student]:
    """Its namespace."""
    student = Student(question)
    yield student
    student.close()


@pytest.mark.parametrize("name", DRAWING)
def test_calls_repeat(student: Student, name: str) -> None:
    """A kept state comes back, in single calls and before each call of a map."""
    draw = student.function(name)
    assert len(set(draw.map([0, 0, 0]))) == 3
    restore = student._random_state()
    first = draw(0)
    restore()
    assert draw(0) == first
    repeated = draw._repeating_random()
    assert len(set(repeated.map([0, 0, 0]))) == 1


def test_objects_that_were_handed_out(student: Student) -> None:
    """Generators of an instance that no variable names are reached through its handle."""
    layer = student.Dropout()
    repeated = layer.draw.as_function()._repeating_random()
    assert len(set(repeated.map([0, 0, 0]))) == 1


def test_one_copy_keeps_one_state(student: Student) -> None:
    """Two handles of one copy stand for the same state, those of different copies do not."""
    of_student, of_object = student._random_state(), student.from_rng._random_state()
    assert of_student == of_object
    assert RandomState.kept_in(student.before()._random_state().copy) != of_student


def test_a_kept_state_is_for_one_check(student: Student) -> None:
    """A copy whose generators were put back is not handed to the next check."""
    state = student._random_state()
    assert isinstance(state.copy, Copy)
    assert state.copy.spoiled


def test_hostile_objects_are_left_out() -> None:
    """What raises when it is looked at, or never ends, keeps nothing else from being kept."""

    class Untouchable:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    class Looping(list[Any]):
        def __iter__(self) -> Any:
            raise SystemError

    rng, endless = np.random.default_rng(1), list[Any]()
    endless.append(endless)
    states = RandomStates()
    states.keep([Untouchable(), Looping(), endless, partial(int, 1), {"x": [rng]}])
    first = rng.random()
    states.restore()
    assert rng.random() == first


def test_search_is_bounded() -> None:
    """A huge list is not walked to its end, and what lies nearest is found."""
    rng, huge = random.Random(1), [[number] for number in range(20 * MAX_OBJECTS)]
    states = RandomStates()
    assert states.keep([huge, rng]) < 10
    first = rng.random()
    states.restore()
    assert rng.random() == first
