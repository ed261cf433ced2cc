"""Copies that one check leaves to the next one: which may be left, and in what state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from grader.errors import StudentDied, StudentRaised
from grader.execution.answered import AnsweredQuestion, SharedCopies
from grader.execution.student import Student

ANSWER = """
import functools, os, threading, time
import numpy as np

def square(x):
    if np.ndim(x) > 3:
        raise ValueError("too many axes")
    return x * x

class Net:
    def __init__(self, size=2):
        self.W = np.zeros(size)
    def fit(self):
        self.W += 1

def draw():
    return np.random.normal()

def train(net):
    net.fit()

calls, seen, cache = 0, [], {}
scale = np.ones(3)
rng = np.random.default_rng(1)

def right_from_the_second_call(x):
    global calls
    calls += 1
    return x * x if calls > 1 else x

def append(x):
    seen.append(x)

def remember(x):
    cache[x] = x

def scale_in_place(x):
    scale[1] *= x

def keep_on_itself(x):
    keep_on_itself.last = x

def keep_in_default(x, kept=[]):
    kept.append(x)

def rebind_helper(x):
    global square
    square = lambda x: x

def keep_on_class(x):
    Net.kept = x

def draw_from_rng(x):
    return rng.random()

@functools.lru_cache
def cached(x):
    return x

def counter():
    count = 0
    def count_up(x):
        nonlocal count
        count += 1
    return count_up
count_up = counter()

def nested(x):
    def inner():
        global calls
        calls = -1
    inner()

def die_soon():
    threading.Timer(0.2, lambda: os._exit(1)).start()

net = Net()
helper = net.fit
"""
CLEAN: dict[str, Callable[[Any], object]] = {
    "lookup": lambda student: student.net.W,
    "contains": lambda student: "net" in student,
    "arrays": lambda student: student.arrays(),
    "call of a function": lambda student: student.square(3),
    "map": lambda student: student.square.map([1, 2]),
    "an instance of the check's own": lambda student: student.Net(3).fit(),
    "an instance given to a function": lambda student: student.train(student.Net(3)),
    "an attribute of an own instance": lambda student: setattr(student.Net(3), "W", 1.0),
    "a generator": lambda student: student.generator(3).random(),
    "a state of before": lambda student: "net" in student.before(),
    "a call that raises": lambda student: raises(student.square, np.zeros((1, 1, 1, 1))),
}
SPOILING: dict[str, Callable[[Any], object]] = {
    "author's code": lambda student: student.execute("net.W += 1"),
    "author's code that raises": lambda student: raises(student.execute, "net.W += 1; 1 / 0"),
    "the answer run again": lambda student: student.run_answer(),
    "a method of what was there": lambda student: student.net.fit(),
    "a method under a name of its own": lambda student: student.helper(),
    "what was there given to a function": lambda student: student.train(student.net),
    "an attribute of what was there": lambda student: setattr(student.net, "W", 1.0),
}


# Plain functions, which change what lies outside of them.
CHANGING = [
    *("right_from_the_second_call", "append", "remember", "scale_in_place", "keep_on_itself"),
    *("keep_in_default", "rebind_helper", "keep_on_class", "draw_from_rng", "cached"),
    *("count_up", "nested"),
]


def raises(function: Callable[..., object], *arguments: object) -> None:
    """Calls what must raise in the student's process."""
    with pytest.raises(StudentRaised):
        function(*arguments)


@pytest.fixture(scope="module")
def question(run_cells: Callable[..., Any]) -> AnsweredQuestion:
    """The answer, run."""
    snapshots = run_cells(ANSWER).execution.snapshots
    return AnsweredQuestion(snapshots[0], snapshots[1], (ANSWER,), "", 10)


@pytest.fixture
def shared() -> Iterator[SharedCopies]:
    """What checks leave to one another."""
    shared = SharedCopies()
    yield shared
    shared.close()


def check(
    question: AnsweredQuestion, shared: SharedCopies, ask: Callable[[Student], object]
) -> bool:
    """Asks as one check would; whether it was in copies that another one had used."""
    student = Student(question, shared)
    try:
        ask(student)
        return student.is_reused
    finally:
        student.close()


@pytest.mark.parametrize("ask", CLEAN.values(), ids=CLEAN)
def test_what_changes_nothing_leaves_the_copy(
    question: AnsweredQuestion, shared: SharedCopies, ask: Callable[[Student], object]
) -> None:
    """After requests that change nothing that lasts, the next check has the same copy."""
    assert not check(question, shared, ask)
    assert check(question, shared, ask)


@pytest.mark.parametrize("ask", SPOILING.values(), ids=SPOILING)
def test_what_changes_something_spoils_the_copy(
    question: AnsweredQuestion, shared: SharedCopies, ask: Callable[[Student], object]
) -> None:
    """After a request that may change what was there, the next check finds what was there."""
    assert not check(question, shared, ask)
    assert not check(question, shared, assert_untouched)


@pytest.mark.parametrize("name", CHANGING)
def test_a_function_that_changes_something_spoils_the_copy(
    question: AnsweredQuestion, shared: SharedCopies, name: str
) -> None:
    """What one check's call of a plain function leaves behind, no later check profits from."""
    assert not check(question, shared, lambda student: student.function(name)(3))
    assert not check(question, shared, assert_untouched)


def assert_untouched(student: Student) -> None:
    """The namespace is as the notebook left it."""
    assert student.net.W.tolist() == [0.0, 0.0]


def test_each_check_draws_the_same_numbers(
    question: AnsweredQuestion, shared: SharedCopies
) -> None:
    """A check's random numbers do not depend on the checks before it."""
    drawn: list[float] = []
    for _ in range(2):
        reused = check(question, shared, lambda student: drawn.append(student.draw()))
    assert reused
    assert drawn[0] == drawn[1]


def test_repairs_spoil_nothing(question: AnsweredQuestion, shared: SharedCopies) -> None:
    """A copy in which the solution's work stands in serves the next repaired check, no other."""
    fields = (question.before, question.after, question.sources, "", 10)
    repaired = AnsweredQuestion(*fields, replacements="def square(x): return -1")
    assert not check(repaired, shared, lambda student: student.square(3))
    results: list[int] = []
    assert check(repaired, shared, lambda student: results.append(student.square(3)))
    assert not check(question, shared, lambda student: results.append(student.square(3)))
    assert results == [-1, 9]


def test_a_copy_that_ended_is_not_passed_on(
    question: AnsweredQuestion, shared: SharedCopies
) -> None:
    """What one check's calls do to the process later is not told of the next check."""

    def end(student: Student) -> None:
        student.die_soon()
        student.close()
        kept = next(iter(shared._kept.values()))
        with suppress(StudentDied):
            while True:
                kept.request("contains", {}, lambda tree: None, name="net")

    check(question, shared, end)
    assert not check(question, shared, assert_untouched)


def test_afresh(question: AnsweredQuestion, shared: SharedCopies) -> None:
    """`afresh` asks in a copy of its own, and leaves the kept one alone."""
    check(question, shared, lambda student: student.square(3))
    fresh = Student(question, shared).afresh()
    assert fresh.square(2) == 4
    assert not fresh.is_reused
    fresh.close()
    assert check(question, shared, assert_untouched)
