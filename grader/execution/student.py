"""`student`: the namespace at a question's snapshot, as a check's author sees it.

Every attribute, call and assignment here is a request to a throwaway copy of
the student's process; only data comes back. `docs/authoring.md` lists what an
author can write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from grader.errors import MissingName, StudentRaised, UnreadableAnswer
from grader.execution.answered import AnsweredQuestion, SharedCopies
from grader.execution.hand_in import HandIn
from grader.execution.snapshots import Copy

WHOLE_ANSWER = "*"


class Requests(Protocol):
    """What a proxy needs of a copy (`grader.execution.snapshots.Copy`)."""

    def request(
        self,
        op: str,
        values: dict[str, Any],
        make_object: Callable[[dict[str, Any]], Any],
        **plain: Any,
    ) -> Any:
        """One operation in the student's process."""


@dataclass(frozen=True)
class Call:
    """A call's result, and its positional arguments as they were afterwards."""

    value: Any
    arguments: tuple[Any, ...]


BEFORE, AFTER = "before", "after"
# What these return is of the check's own making.
MAKING = ("generator",)
# Calling these makes a result, and changes nothing of what they are.
PLAIN_TYPES = ("function", "builtin_function_or_method", "type", "ufunc", "vectorize")


@dataclass(frozen=True)
class RandomState:
    """The random state of one copy as it was kept; calling this puts it back."""

    copy: Requests

    def __call__(self) -> None:
        """Put back the state of every generator in reach of the copy's objects and variables."""
        self.copy.request("random", {}, lambda tree: None, restore=True)

    @classmethod
    def kept_in(cls, copy: Requests) -> RandomState:
        """The state as it is now; it replaces the one that the copy kept before."""
        copy.request("random", {}, lambda tree: None, restore=False)
        return cls(copy)


class StudentObject:
    """Something that lives in the student's process: a function, a class, an instance.

    `found` says that it was there before the check, and is not of the check's own making.
    """

    __slots__ = ("_callable", "_copy", "_found", "_lasting", "_reference", "type_name")

    def __init__(self, copy: Requests, tree: dict[str, Any], *, found: bool = False) -> None:
        reference, name = tree.get("v"), tree.get("type")
        set_here = object.__setattr__
        set_here(self, "_copy", copy)
        set_here(self, "_reference", reference if type(reference) is int else -1)
        set_here(self, "_callable", tree.get("callable") is True)
        set_here(self, "type_name", name[:100] if isinstance(name, str) else "object")
        set_here(self, "_found", found)
        # What a call with it, or of it, does to it, the next check in the same copy would see.
        set_here(self, "_lasting", found and self.type_name not in PLAIN_TYPES)

    def __repr__(self) -> str:
        return f"<{self.type_name} of the student>"

    def __getattr__(self, name: str) -> Any:
        # Python, pytest and numpy probe objects for protocols; none of that is the student's.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        make_object = partial(StudentObject, self._copy, found=self._found)
        return self._copy.request("get", {"target": self}, make_object, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._request("set", {"target": self, "value": value}, name=name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Its result for these arguments."""
        return self.call(*arguments, **keywords).value

    def call(self, *arguments: Any, **keywords: Any) -> Call:
        """Calls it, and also returns the arguments as they are afterwards."""
        values = {"target": self, "arguments": list(arguments), "keywords": keywords}
        reply = self._request("call", values)
        if not isinstance(reply, dict) or not isinstance(reply.get("arguments"), tuple):
            raise UnreadableAnswer("your code's result cannot be used: a call has no result")
        return Call(reply.get("value"), reply["arguments"])

    def map(self, points: Sequence[Any]) -> list[Any]:
        """Results for many argument lists, in one round trip.

        `points` holds one argument each, or tuples of several.
        """
        return self._map([point if isinstance(point, tuple) else (point,) for point in points])

    def as_function(
        self,
        *,
        arguments: Callable[[Any], tuple[Any, ...]] = lambda point: (point,),
        result: Callable[[Any], Any] = lambda value: value,
        sets: str | None = None,
    ) -> PointFunction:
        """A function of one point, for the gradient checks.

        `arguments` and `result` run on the grader's side. With `sets`, each
        point is first assigned to that attribute of the method's object.
        """
        return PointFunction(self, arguments, result, sets)

    def _random_state(self) -> RandomState:
        return RandomState.kept_in(self._copy)

    def _repeating_random(self) -> PointFunction:
        return self.as_function()._repeating_random()

    def _map(
        self,
        rows: Sequence[tuple[Any, ...]],
        sets: str | None = None,
        settings: Sequence[Any] = (),
        *,
        repeat: bool = False,
    ) -> list[Any]:
        columns = [list(column) for column in zip(*rows, strict=True)]
        values = {"target": self, "columns": columns, "settings": list(settings)}
        results = self._request("map", values, count=len(rows), sets=sets, repeat=repeat)
        if not isinstance(results, list) or len(results) != len(rows):
            raise UnreadableAnswer("your code's results cannot be used: they are not one a call")
        return results

    def _request(self, op: str, values: dict[str, Any], **plain: Any) -> Any:
        make_object = partial(StudentObject, self._copy)
        return self._copy.request(op, values, make_object, **plain)


class PointFunction:
    """A student's function, seen as a function of one point."""

    def __init__(
        self,
        target: StudentObject,
        arguments: Callable[[Any], tuple[Any, ...]],
        result: Callable[[Any], Any],
        sets: str | None,
        *,
        repeat: bool = False,
    ) -> None:
        self._target = target
        self._arguments = arguments
        self._result = result
        self._sets = sets
        self._repeat = repeat

    def __call__(self, point: Any) -> Any:
        """The result at one point."""
        return self.map([point])[0]

    def map(self, points: Sequence[Any]) -> list[Any]:
        """The results at many points, in one round trip."""
        rows = [self._arguments(point) for point in points]
        settings = list(points) if self._sets else []
        values = self._target._map(rows, self._sets, settings, repeat=self._repeat)
        return [self._result(value) for value in values]

    def _repeating_random(self) -> PointFunction:
        """The same, each call of which begins with the random state as it is now."""
        RandomState.kept_in(self._target._copy)
        return PointFunction(self._target, self._arguments, self._result, self._sets, repeat=True)


class Namespace:
    """A copy of the student's namespace; its attributes are the student's names."""

    def __init__(self, question: AnsweredQuestion, state: str, shared: SharedCopies | None) -> None:
        self._question = question
        self._state = state
        self._shared = shared
        self._opened: Copy | None = None
        self._is_reused = False
        self._asked: set[str] = set()
        self._has_everything = False

    def asked_for(self) -> frozenset[str]:
        """The names that were asked for so far; `"*"` stands for the answer as a whole."""
        return frozenset(self._asked)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        self._ask(name)
        return self._request("lookup", name=name)

    def __contains__(self, name: str) -> bool:
        self._ask(name)
        return self._request("contains", name=name) is True

    def function(self, name: str) -> StudentObject:
        """The function or class of this name.

        Raises:
            MissingName: it is not defined, or is something that cannot be called.
        """
        value = self[name]
        if not isinstance(value, StudentObject) or not value._callable:
            kind = getattr(value, "type_name", type(value).__name__)
            raise MissingName(f"`{name}` is not a function, but a {kind}")
        return value

    def execute(self, source: str) -> None:
        """Runs an author's code in this copy; it must hold no expected value."""
        self._ask(WHOLE_ANSWER)
        self._request("execute", source=source)

    def run_answer(self, *, experiments: bool = False) -> str:
        """Runs the question's own cells in this copy and returns what they printed.

        With `experiments`, also those that were not run as such: the check must
        have seen to it that they take little time.
        """
        self._ask(WHOLE_ANSWER)
        if not experiments:
            return str(self._request("run_cells", sources=list(self._question.sources)))
        # From here on the copy has what the cells define, run before or not.
        self._has_everything = True
        self._asked.clear()
        try:
            return str(self._request("run_cells", sources=list(self._question.experiments)))
        except StudentRaised as error:
            if error.exception == "NameError":
                # Another question's experiment may have defined it.
                self._asked.add(WHOLE_ANSWER)
            raise

    def generator(self, seed: int) -> StudentObject:
        """A `numpy.random.Generator` in the student's process."""
        generator: StudentObject = self._request("generator", seed=seed)
        return generator

    def module(self, name: str) -> StudentObject:
        """A module beside the notebook, imported in this copy."""
        module: StudentObject = self._request("module", name=name)
        return module

    def _random_state(self) -> RandomState:
        if self._opened is None:
            self._opened = self._take_copy() or self._open_copy()
        return RandomState.kept_in(self._opened)

    def close(self) -> None:
        """Ends the copy, or leaves it to the next check."""
        if self._opened is None:
            return
        if self._shared is None:
            self._opened.close()
        else:
            self._shared.keep(self._question, self._state, self._opened)
        self._opened = None

    def _ask(self, name: str) -> None:
        if not self._has_everything:
            self._asked.add(name)

    def _arrays(self) -> dict[str, np.ndarray]:
        self._ask(WHOLE_ANSWER)
        found = self._request("arrays")
        if not isinstance(found, dict):
            raise UnreadableAnswer("your variables cannot be listed")
        return {str(k): v for k, v in found.items() if isinstance(v, np.ndarray)}

    def _request(self, op: str, **plain: Any) -> Any:
        if self._opened is None:
            self._opened = self._take_copy() or self._open_copy()
        found = op not in MAKING
        make_object = partial(StudentObject, self._opened, found=found)
        return self._opened.request(op, {}, make_object, **plain)

    def _take_copy(self) -> Copy | None:
        kept = self._shared.take(self._question, self._state) if self._shared else None
        self._is_reused |= kept is not None
        return kept

    def _open_copy(self) -> Copy:
        is_after = self._state == AFTER
        copy = self._question.open_after() if is_after else self._question.open_before()
        return self._shared.settle(copy) if self._shared else copy


class Student(Namespace):
    """The namespace as it was after the question's last cell, and how it came to be."""

    def __init__(self, question: AnsweredQuestion, shared: SharedCopies | None = None) -> None:
        super().__init__(question, AFTER, shared)
        self._befores: list[Namespace] = []

    @property
    def is_reused(self) -> bool:
        """Whether an earlier check had asked the same copies before."""
        return self._is_reused or any(namespace._is_reused for namespace in self._befores)

    def afresh(self) -> Student:
        """The same question, asked in copies that no check has asked before."""
        return Student(self._question)

    @property
    def output(self) -> str:
        """What the question's cells printed when the notebook was run."""
        self._ask(WHOLE_ANSWER)
        return self._question.output

    @property
    def source(self) -> str:
        """The code of the question's cells."""
        return "\n\n".join(self._question.sources)

    @property
    def markdown(self) -> str:
        """The text of the answer, where the question takes it beside code."""
        return self._question.markdown

    def asked_for(self) -> frozenset[str]:
        """The names that were asked for so far, before the question's cells included."""
        return super().asked_for().union(*(before.asked_for() for before in self._befores))

    @property
    def hand_in(self) -> HandIn:
        """The texts, recorded outputs and files that were handed in."""
        return self._question.hand_in

    def before(self) -> Namespace:
        """A copy of the namespace as it was before the question's first cell."""
        namespace = Namespace(self._question, BEFORE, self._shared)
        self._befores.append(namespace)
        return namespace

    def arrays(self, *, new: bool = False) -> dict[str, np.ndarray]:
        """The float arrays among the variables; `new` leaves out those from before the question."""
        after = self._arrays()
        if not new:
            return after
        before = self.before()._arrays()
        return {name: a for name, a in after.items() if not _same(a, before.get(name))}

    def close(self) -> None:
        """Ends this copy and those of `before`."""
        for namespace in self._befores:
            namespace.close()
        super().close()


def _same(array: np.ndarray, other: np.ndarray | None) -> bool:
    return other is not None and np.array_equal(array, other, equal_nan=True)
