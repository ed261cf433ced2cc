"""`student`: what an author can ask of a snapshot, and what hostile code can answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grader.errors import (
    ExecutionFault,
    MissingName,
    StudentDied,
    StudentFault,
    StudentRaised,
    StudentTimeout,
    UnreadableAnswer,
)
from grader.execution.answered import AnsweredQuestion
from grader.execution.student import Student, StudentObject

GIVEN = """
import numpy as np
start = 10
kept = np.array([1.0, 2.0])
changed = np.array([1.0, 2.0])
"""

ANSWER = """
print("this is the answer")
number, text, nothing = 3, "text", None
pair, table = (1, [2.5]), {"a": np.arange(3), 2: None}
result = start * 2
changed = changed + 1
new = np.array([0.5])
losses = [0.5, 0.25]
log = []

def square(x):
    return x ** 2

def double_in_place(x):
    x *= 2
    return None

def fails(x):
    raise ValueError("not " + x)

class Linear:
    def __init__(self, inputs, outputs, rng=None):
        rng = np.random.default_rng(0) if rng is None else rng
        self.W = rng.normal(size=(inputs, outputs))
        self.b = np.zeros(outputs)
        self.buffer = np.zeros(outputs)

    def forward(self, x):
        self.buffer[...] = x @ self.W + self.b
        return self.buffer
"""

HOSTILE = """
import logging, os, sys
from sys import stdout

class AlwaysEqual:
    def __eq__(self, other):
        return True
    __hash__ = None

class LyingClass:
    __class__ = float

class Untouchable:
    def __getattribute__(self, name):
        raise RuntimeError(name)

class EqualType(type):
    def __eq__(cls, other):
        return True
    __hash__ = type.__hash__

class OfEqualType(metaclass=EqualType):
    pass

class FloatOfMine(float):
    def __eq__(self, other):
        return True
    __hash__ = float.__hash__

always_equal, lying_class, untouchable = AlwaysEqual(), LyingClass(), Untouchable()
of_equal_type, float_of_mine = OfEqualType(), FloatOfMine(1)
itself = []
itself.append(itself)
deep = []
for _ in range(10_000):
    deep = [deep]
many = list(range(1_000_000))
huge = 10 ** 20_000
wide = np.broadcast_to(0.0, (1 << 20, 1 << 15))
half = "\\ud800"
logger = logging.getLogger("mine")
logger.addHandler(logging.StreamHandler(sys.stdout))

def returns(value):
    return value

def for_ever():
    while True:
        pass

def ignores_interrupts():
    import signal
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for_ever()

def dies():
    os._exit(0)

def exits():
    sys.exit(3)

def interrupts():
    raise KeyboardInterrupt

def raises_oddly():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError
    raise Odd

def raises_half():
    raise ValueError(half)

def prints_a_lot():
    for _ in range(30_000):
        print("x" * 1000)
        stdout.write("y" * 100)
        logger.warning("z")
    print("w" * 50_000_000, file=sys.stderr)
    sys.__stdout__.write("v")
    os.system("echo u")
    return "done"

def shows():
    from IPython.display import display
    display([1])
    return "shown"

def asks():
    return input("well? ")

def forks():
    return os.fork() >= 0
"""

USES_RESULT = "after_result = result + 1"
MODULE = b"offset = 7\n\ndef shift(x):\n    return x + offset\n"
BEFORE, AFTER, END = 1, 2, 4


@pytest.fixture(scope="module")
def ran(run_cells: Callable[..., Any]) -> Any:
    """A notebook of which the second cell is a question's answer."""
    files = {"week1/models/shifts.py": MODULE}
    cells = (GIVEN, ANSWER, HOSTILE, USES_RESULT)
    ran = run_cells(*cells, files=files, name="week1/hand-in.ipynb")
    assert [run.error for run in ran.execution.cells] == [""] * 4
    return ran


@pytest.fixture(scope="module")
def question(ran: Any) -> AnsweredQuestion:
    """What the run left of the question."""
    snapshots = ran.execution.snapshots
    output = ran.execution.output_of([1])
    return AnsweredQuestion(snapshots[BEFORE], snapshots[AFTER], (ANSWER,), output, 10)


@pytest.fixture
def ask() -> Iterator[Callable[[AnsweredQuestion], Student]]:
    """Opens students, and closes them when the test is over."""
    with ExitStack() as stack:

        def make(question: AnsweredQuestion) -> Student:
            student = Student(question)
            stack.callback(student.close)
            return student

        yield make


@pytest.fixture
def student(question: AnsweredQuestion, ask: Callable[..., Student]) -> Student:
    """The student's namespace at the question."""
    return ask(question)


@pytest.fixture
def hostile(ran: Any, ask: Callable[..., Student]) -> Student:
    """The namespace with the hostile code."""
    return ask(AnsweredQuestion(None, ran.execution.snapshots[END], (), "", 3))


# --- what docs/authoring.md promises --------------------------------------------------


def test_values_come_as_data(student: Student) -> None:
    """Numbers, text, None, tuples, lists, dicts and arrays arrive as what they are."""
    assert (student.number, student.text, student.nothing) == (3, "text", None)
    assert student["pair"] == (1, [2.5])
    assert student.table["a"].tolist() == [0, 1, 2]
    assert student.table[2] is None


def test_missing_names(student: Student) -> None:
    """A name that is not defined raises MissingName and is not `in` the student's."""
    with pytest.raises(MissingName, match=r"^`nonsense` is not defined$"):
        student.nonsense  # noqa: B018
    assert "nonsense" not in student
    assert "square" in student


def test_names_of_later_cells_are_missing(student: Student) -> None:
    """A snapshot does not know what was defined after its question."""
    assert "for_ever" not in student


def test_functions_are_called_over_there(student: Student) -> None:
    """A function is an object that can be called with arrays and numbers."""
    assert isinstance(student.square, StudentObject)
    assert student.square.type_name == "function"
    assert student.square(np.array([1.0, -3.0])).tolist() == [1.0, 9.0]
    assert student.square(x=4) == 16


def test_call_shows_arguments_as_they_are_afterwards(student: Student) -> None:
    """A change in place of an argument is seen in the call, and not in the author's array."""
    x = np.array([1.0, 2.0])
    call = student.double_in_place.call(x)
    assert call.value is None
    assert call.arguments[0].tolist() == [2.0, 4.0]
    assert x.tolist() == [1.0, 2.0]


def test_instances_keep_their_state(student: Student) -> None:
    """An instance has attributes that can be read and assigned, and methods."""
    layer = student.Linear(2, 3, rng=student.generator(3))
    assert layer.type_name == "Linear"
    expected = np.random.default_rng(3).normal(size=(2, 3))
    np.testing.assert_array_equal(layer.W, expected)
    layer.b = np.array([1.0, 2.0, 3.0])
    assert layer.forward(np.zeros(2)).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(StudentRaised, match="no attribute 'grad_W'") as caught:
        layer.grad_W  # noqa: B018
    assert caught.value.exception == "AttributeError"


def test_objects_can_be_arguments(student: Student) -> None:
    """What lives over there can be sent back as an argument, by its number."""
    student.execute("def apply(f, x): return f(x)")
    assert student.apply(student.square, 5) == 25


def test_map_makes_many_calls(student: Student) -> None:
    """map calls with one argument, or a tuple of several, per point."""
    assert student.square.map([1, 2, 3]) == [1, 4, 9]
    assert student.square.map([]) == []
    student.execute("def power(x, n): return x ** n")
    assert student.power.map([(2, 3), (3, 2)]) == [8, 9]


def test_map_keeps_results_of_a_reused_buffer_apart(student: Student) -> None:
    """A layer that returns its own buffer gives one result a point."""
    forward = student.Linear(1, 2).forward
    student.execute("pass")
    results = forward.map([np.array([float(i)]) for i in range(5)])
    assert len({tuple(row) for row in results}) == 5


def test_as_function_maps_points(student: Student) -> None:
    """A student's function becomes a function of one point, with `map`."""
    function = student.square.as_function(
        arguments=lambda point: (point + 1,), result=lambda value: -value
    )
    assert function(2) == -9
    assert function.map([0, 1]) == [-1, -4]


def test_as_function_sets_attributes(student: Student) -> None:
    """With `sets`, each point is assigned to the owner of the method before its call."""
    layer = student.Linear(1, 2)
    x = np.array([1.0])
    function = layer.forward.as_function(sets="W", arguments=lambda point: (x,))
    points = [np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]
    assert [value.tolist() for value in function.map(points)] == [[1.0, 2.0], [3.0, 4.0]]


def test_before_is_the_state_before_the_question(student: Student) -> None:
    """before() knows the given names only, and is a copy of its own."""
    before = student.before()
    assert before.start == 10
    assert "square" not in before
    before.execute("start = 99")
    assert before.start == 99
    assert student.before().start == student.start == 10


def test_run_answer_runs_the_cells_again(student: Student) -> None:
    """run_answer executes the question's cells where it is asked, and returns their output."""
    before = student.before()
    before.execute("start = 1")
    assert before.run_answer() == "this is the answer\n"
    assert before.result == 2
    assert student.result == 20


def test_run_answer_with_experiments(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """Experiments that were not run are run where a check asks for it, and count as run then."""
    student = ask(replace(question, experiments=("far = 10", "result = far + 1\nprint(result)")))
    before = student.before()
    before.execute("pass")
    assert student.asked_for() == {"*"}
    assert before.run_answer(experiments=True) == "11\n"
    assert before.result == 11
    assert student.asked_for() == frozenset()


def test_experiments_that_lack_a_name(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """Only where a name is missing may another experiment be to blame."""
    for source, asked in (("unknown_name", {"*"}), ("1 / 0", set())):
        student = ask(replace(question, experiments=(source,)))
        with pytest.raises(StudentRaised):
            student.before().run_answer(experiments=True)
        assert student.asked_for() == asked


def test_execute_runs_an_authors_code(student: Student) -> None:
    """execute defines names in this copy, and an error in it is told."""
    student.execute("probe = square(3) + start")
    assert student.probe == 19
    with pytest.raises(StudentRaised, match="ZeroDivisionError"):
        student.execute("1 / 0")


def test_arrays_lists_the_float_arrays(student: Student) -> None:
    """arrays() has float arrays, floats and lists of floats, and `new` only those of the answer."""
    every = student.arrays()
    assert {"kept", "changed", "new", "losses"} <= every.keys()
    assert "table" not in every
    new = student.arrays(new=True)
    assert new.keys() == {"changed", "new", "losses"}
    assert new["changed"].tolist() == [2.0, 3.0]


def test_markdown(question: AnsweredQuestion, ask: Callable[..., Student]) -> None:
    """The text of an answer comes as it was written."""
    assert ask(replace(question, markdown="so **2**")).markdown == "so **2**"
    assert ask(question).markdown == ""


def test_output_and_source(student: Student) -> None:
    """What the cells printed when the notebook ran, and their code."""
    assert student.output == "this is the answer\n"
    assert student.source == ANSWER


def test_modules_beside_the_notebook(student: Student) -> None:
    """A module in the notebook's folder can be imported and asked."""
    module = student.module("models.shifts")
    assert module.offset == 7
    assert module.shift(1) == 8
    with pytest.raises(StudentRaised, match="No module named") as caught:
        student.module("models.missing")
    assert caught.value.exception == "ModuleNotFoundError"


def test_copies_of_a_snapshot_do_not_see_each_other(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """What one check changes is not there for the next, nor for one at the same time."""
    first, second = ask(question), ask(question)
    first.execute("number = 'changed'; log.append(1)")
    assert second.number == 3
    first.close()
    third = ask(question)
    assert (third.number, third.log) == (3, [])


def test_random_state_is_the_same_in_each_copy(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """numpy's global generator and Python's start alike in every copy."""
    draw = "import random; drawn = (np.random.normal(), random.random())"
    drawn = []
    for _ in range(2):
        student = ask(question)
        student.execute(draw)
        drawn.append(student.drawn)
    assert drawn[0] == drawn[1]


def test_replacements_stand_in_for_earlier_work(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """Replaced names are there after the question, while the rest is the student's."""
    student = ask(replace(question, replacements="def square(x):\n    return 'replaced'"))
    assert student.square(3) == "replaced"
    assert student.result == 20
    assert student.before().square(3) == "replaced"


def test_rerun_runs_the_cells_on_the_replacements(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """With rerun the question's own cells start from the replaced names."""
    student = ask(replace(question, replacements="start = 50", rerun=True))
    assert student.result == 100


@pytest.mark.parametrize("by_student", [True, False])
def test_a_missing_snapshot_is_charged_to_who_lost_it(
    question: AnsweredQuestion, ask: Callable[..., Student], by_student: bool
) -> None:
    """Without a snapshot the reason is told: the student's fault, or the grader's."""
    student = ask(replace(question, after=None, lost="because", by_student=by_student))
    with pytest.raises(StudentDied if by_student else ExecutionFault, match=r"^because$"):
        student.number  # noqa: B018


# --- what an author does wrong ---------------------------------------------------------


def test_what_cannot_be_sent_is_the_authors_fault(student: Student) -> None:
    """An argument that the wire does not carry raises no StudentFault."""
    square = student.square
    for argument in ({1, 2}, object(), [0] * 300_000, np.zeros(40 << 20)):
        with pytest.raises((TypeError, ValueError)):
            square(argument)
    assert square(2) == 4


def test_objects_of_another_copy_cannot_be_sent(student: Student) -> None:
    """The number of an object means something else in another copy."""
    student.before().execute("def f(x): return x")
    with pytest.raises(ValueError, match="one copy to another"):
        student.before().np.abs(student.square)


def test_a_checks_own_time_is_not_the_students(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """What a check computes between its requests does not use up the student's seconds."""
    student = ask(replace(question, seconds=0.6))
    assert student.number == 3
    time.sleep(0.8)
    assert student.number == 3


def test_seconds_bound_all_requests_of_a_copy(
    question: AnsweredQuestion, ask: Callable[..., Student]
) -> None:
    """Many short calls may take no longer than the limit of one."""
    student = ask(replace(question, seconds=0.6))

    def sleep_often() -> None:
        for _ in range(10):
            student.execute("import time; time.sleep(0.2)")

    with pytest.raises(StudentTimeout):
        sleep_often()


# --- what hostile code answers -------------------------------------------------------------


def test_an_exception_names_the_students_line(student: Student) -> None:
    """The message has the exception, its text and the line that raised it."""
    with pytest.raises(StudentRaised) as caught:
        student.fails("good")
    assert caught.value.exception == "ValueError"
    message = str(caught.value)
    assert message.startswith("your code raised ValueError: not good (in line ")
    assert message.endswith(': raise ValueError("not " + x))')


@pytest.mark.parametrize(
    ("name", "exception"),
    [("exits", "SystemExit"), ("interrupts", "KeyboardInterrupt"), ("raises_oddly", "Odd")],
)
def test_every_exception_is_an_answer(hostile: Student, name: str, exception: str) -> None:
    """Exits, interrupts and exceptions that cannot be printed fail the call, not the copy."""
    with pytest.raises(StudentRaised) as caught:
        hostile[name]()
    assert caught.value.exception == exception
    assert hostile.returns(1) == 1


def test_messages_can_be_written_to_a_file(hostile: Student) -> None:
    """Half a surrogate pair in an exception's text does not reach a report."""
    with pytest.raises(StudentRaised) as caught:
        hostile.raises_half()
    str(caught.value).encode()


@pytest.mark.parametrize("name", ["for_ever", "ignores_interrupts"])
def test_an_endless_call_times_out(ran: Any, ask: Callable[..., Student], name: str) -> None:
    """An endless call ends with the check's time, its process is killed, the next copy works."""
    question = AnsweredQuestion(None, ran.execution.snapshots[END], (), "", 1)
    # Copies of earlier tests end a moment after these.
    time.sleep(0.3)
    student, start, alive = ask(question), time.monotonic(), len(ran.processes())
    with pytest.raises(StudentTimeout, match="within the check's 1 seconds"):
        student[name]()
    assert time.monotonic() - start < 3
    student.close()
    assert ask(question).returns(2) == 2
    deadline = time.monotonic() + 3
    while len(ran.processes()) > alive + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(ran.processes()) == alive + 1


def test_a_call_that_ends_the_process(
    ran: Any, hostile: Student, ask: Callable[..., Student]
) -> None:
    """os._exit in a call is told as such, stays so, and the next copy works."""
    for _ in range(2):
        with pytest.raises(StudentDied):
            hostile.dies()
    question = AnsweredQuestion(None, ran.execution.snapshots[END], (), "", 3)
    assert ask(question).returns(2) == 2


@pytest.mark.parametrize("name", ["itself", "deep", "many", "huge", "wide"])
def test_values_beyond_the_caps_are_unreadable(hostile: Student, name: str) -> None:
    """A value that does not fit the wire is UnreadableAnswer, and the copy goes on."""
    with pytest.raises(UnreadableAnswer, match="your code's result cannot be used: "):
        hostile[name]
    assert hostile.returns(1) == 1


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("always_equal", "AlwaysEqual"),
        ("lying_class", "LyingClass"),
        ("untouchable", "Untouchable"),
        ("of_equal_type", "OfEqualType"),
        ("float_of_mine", "FloatOfMine"),
    ],
)
def test_pretending_objects_are_only_references(
    hostile: Student, name: str, type_name: str
) -> None:
    """An object that lies about itself equals nothing on the grader's side."""
    value = hostile[name]
    assert type(value) is StudentObject
    assert value.type_name == type_name
    assert value != 1.0
    assert not isinstance(value, float)
    assert value != hostile.returns(value)


def test_printing_does_not_break_a_call(hostile: Student) -> None:
    """Printing a lot, through streams taken earlier too, does not hold up or spoil an answer."""
    assert hostile.prints_a_lot() == "done"
    assert hostile.shows() == "shown"


def test_input_in_a_call_fails_at_once(hostile: Student) -> None:
    """A function that asks for input raises instead of waiting."""
    with pytest.raises(StudentRaised) as caught:
        hostile.asks()
    assert caught.value.exception == "EOFError"


def test_a_forked_call_cannot_answer_for_another(hostile: Student) -> None:
    """When a call forks and two processes answer, each value is the one that was asked for."""
    with contextlib.suppress(StudentFault):
        assert hostile.forks() is True
    for expected in range(5):
        with contextlib.suppress(StudentFault):
            assert hostile.returns(expected) == expected


def test_faults_are_assertion_errors() -> None:
    """A check that does not catch a student's fault fails, in any pytest run."""
    faults = (MissingName, StudentRaised, StudentTimeout, StudentDied, UnreadableAnswer)
    assert all(issubclass(fault, StudentFault) for fault in faults)
    assert issubclass(StudentFault, AssertionError)
