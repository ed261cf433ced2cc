"""Writes down what checks ask of a hand-in, and asks it again with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.errors import StudentDied, StudentFault, StudentTimeout
from grader.execution.answered import AnsweredQuestion
from grader.execution.snapshots import Copy, Snapshot
from grader.execution.student import StudentObject
from grader.session import Session

Perturb = Callable[[Any, np.random.Generator], Any]


@dataclass(frozen=True)
class Made:
    """An object in the student's process: the how-manieth that a step brought."""

    step: int
    place: int


@dataclass(frozen=True)
class Step:
    """One request: `values` hold `Made` in the place of a student's objects.

    `cells` is the attribute of the question that holds its cells, where they are run again.
    """

    op: str
    values: dict[str, Any]
    plain: dict[str, Any]
    cells: str = ""

    def asked_of(self, question: AnsweredQuestion) -> Step:
        """The same request to another hand-in: its own cells are run, not those written down."""
        if not self.cells:
            return self
        return replace(self, plain={"sources": list(getattr(question, self.cells))})


@dataclass
class Trace:
    """What was asked of one copy, taken before or after the question, by one check or several."""

    before: bool
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What came back: data, or the name of an exception. `label` says what was asked."""

    label: str
    value: Any
    raised: str = ""


class RecordingSession(Session):
    """A session whose checks' requests are kept in `traces`."""

    traces: list[Trace]

    @classmethod
    def of(cls, session: Session) -> RecordingSession:
        """The same session; the one given stays its owner."""
        made = cls(**{name: getattr(session, name) for name in Session.__dataclass_fields__})
        object.__setattr__(made, "traces", [])
        return made

    def answered(self, question: str) -> AnsweredQuestion:
        """What the run left of a question, every request to it written down."""
        plain = super().answered(question)
        return _RecordedQuestion(**vars(plain), traces=self.traces)


@dataclass(frozen=True)
class _RecordedQuestion(AnsweredQuestion):
    # Copies are kept by question: one question is the same, whatever it was asked so far.
    traces: list[Trace] = field(default_factory=list, compare=False)

    def _open(self, snapshot: Snapshot | None) -> Copy:
        trace = Trace(before=snapshot is self.before and snapshot is not self.after)
        self.traces.append(trace)
        return _RecordingCopy(super()._open(snapshot), trace, self)


class _RecordingCopy(Copy):
    """A copy that takes another's place and writes down what is asked of it."""

    def __init__(self, copy: Copy, trace: Trace, question: AnsweredQuestion) -> None:
        vars(self).update(vars(copy))
        self._trace = trace
        self._question = question
        self._made: dict[int, Made] = {}

    def request(
        self,
        op: str,
        values: dict[str, Any],
        make_object: Callable[[dict[str, Any]], Any],
        **plain: Any,
    ) -> Any:
        """Passes the request on."""
        number = len(self._trace.steps)
        cells = self._cells(plain["sources"]) if op == "run_cells" else ""
        self._trace.steps.append(Step(op, _copied(values, self._refer_made), plain, cells))
        count = 0

        def make(tree: dict[str, Any]) -> Any:
            nonlocal count
            made = make_object(tree)
            if isinstance(made, StudentObject):
                self._made[made._reference] = Made(number, count)
                count += 1
            return made

        return super().request(op, values, make, **plain)

    def _cells(self, sources: list[str]) -> str:
        return "sources" if sources == list(self._question.sources) else "experiments"

    def _refer_made(self, value: object) -> object:
        return self._made.get(value._reference) if isinstance(value, StudentObject) else value


def replay(
    trace: Trace, question: AnsweredQuestion, perturb: Perturb, seed: int
) -> Iterator[Answer]:
    """Asks a hand-in what a trace asked, its numbers changed by `perturb`.

    The same seed gives the same numbers, whatever the hand-in answers.
    """
    copy = question.open_before() if trace.before else question.open_after()
    objects: dict[Made, tuple[StudentObject, str]] = {}
    try:
        for number, step in enumerate(trace.steps):
            rng = np.random.default_rng([seed, number])
            answer = _ask(copy, number, step.asked_of(question), objects, perturb, rng)
            yield answer
            if answer.raised in (StudentTimeout.__name__, StudentDied.__name__):
                return
    finally:
        copy.close()


def _ask(
    copy: Copy,
    number: int,
    step: Step,
    objects: dict[Made, tuple[StudentObject, str]],
    perturb: Perturb,
    rng: np.random.Generator,
) -> Answer:
    label = _label(step, objects)
    if step.op == "begin":
        copy.begin()
        return Answer(label, None)
    count = 0

    def make(tree: dict[str, Any]) -> StudentObject:
        nonlocal count
        made = StudentObject(copy, tree)
        objects[Made(number, count)] = (made, label)
        count += 1
        return made

    def stand_in(value: object) -> object:
        if isinstance(value, Made):
            # What an earlier step did not bring this time cannot be asked.
            return objects[value][0]
        return perturb(value, rng)

    try:
        values = {name: _copied(value, stand_in) for name, value in step.values.items()}
        return Answer(label, copy.request(step.op, values, make, **step.plain))
    except KeyError:
        return Answer(label, None, "nothing to ask")
    except StudentFault as error:
        return Answer(label, None, getattr(error, "exception", "") or type(error).__name__)


def _label(step: Step, objects: dict[Made, tuple[StudentObject, str]]) -> str:
    """How a reader would write what is asked: `Linear(...).forward(...)`."""
    target = step.values.get("target")
    owner = objects[target][1] if isinstance(target, Made) and target in objects else ""
    name = str(step.plain.get("name", ""))
    if step.op in ("call", "map"):
        return f"{owner}(...)"
    return f"{owner}.{name}".strip(".") or step.op


def _copied(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """A request's values with every leaf replaced."""
    if isinstance(value, dict):
        return {key: _copied(item, leaf) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(item, leaf) for item in value)
    return leaf(value.copy() if isinstance(value, np.ndarray) else value)
