"""Finds out by numbers whether a mutant that no check kills is a right answer after all.

What the checks ask of the solution is written down and asked again with other
numbers, of the solution and of the mutant. One result that differs shows the
mutant wrong, and where a check is missing. Where all agree, and the changed
line is known to be reached, the mutant counts as equivalent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignment import Assignment
from grader.audit.generating import GenericMutant
from grader.audit.planting import solution_submission
from grader.audit.tracing import Answer, Perturb, RecordingSession, Step, Trace, replay
from grader.audit.trial import changed, up_to
from grader.checks.running import run_checks
from grader.execution.answered import AnsweredQuestion
from grader.execution.isolation import Level
from grader.execution.student import StudentObject
from grader.session import Session, open_session

SHOWN = 60
NOTHING = "nothing"
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Comparison:
    """Whether a mutant's results are the solution's, and how that is known."""

    equivalent: bool
    note: str


def compare(
    assignment: Assignment, mutant: GenericMutant, isolation: Level | None = None
) -> Comparison:
    """Compares a mutant with the solution at its question, for other numbers than the checks'.

    Raises:
        ExecutionFault: the grader's own machinery failed.
    """
    sources = {"mutant": mutant.source, "crash": mutant.crash}
    submissions = {
        "solution": solution_submission(assignment),
        **{name: changed(assignment, mutant, source) for name, source in sources.items()},
    }
    with ExitStack() as stack:
        sessions = {
            name: stack.enter_context(
                open_session(assignment, up_to(s, mutant.question), isolation=isolation)
            )
            for name, s in submissions.items()
        }
        traces = _traces(sessions["solution"], mutant.question)
        asked = {name: session.answered(mutant.question) for name, session in sessions.items()}
        return _verdict(traces, asked["solution"], asked["mutant"], asked["crash"])


def _traces(session: Session, question: str) -> list[Trace]:
    """What the question's checks ask, and all variables besides."""
    recording = RecordingSession.of(session)
    run_checks(recording, only=[question])
    return [*recording.traces, Trace(before=False, steps=[Step("arrays", {}, {})])]


def _verdict(
    traces: list[Trace],
    solution: AnsweredQuestion,
    mutant: AnsweredQuestion,
    crash: AnsweredQuestion,
) -> Comparison:
    difference, compared = _first_difference(traces, solution, mutant)
    if difference:
        return Comparison(False, difference)
    if not compared:
        return Comparison(False, "the checks ask nothing of this answer that can be compared")
    if not _first_difference(traces, solution, crash)[0]:
        return Comparison(False, "nothing that the checks ask reaches this line")
    return Comparison(True, f"the same {compared} results as the solution's for other numbers")


def _first_difference(
    traces: list[Trace], solution: AnsweredQuestion, other: AnsweredQuestion
) -> tuple[str, int]:
    """How the first result that differs does so, and how many results could be compared."""
    compared = 0
    for seed, perturb in enumerate(PERTURBATIONS):
        for trace in traces:
            for right, wrong in _pairs(trace, solution, other, perturb, seed):
                if not _same(right, wrong):
                    return _words(right, wrong), compared
                compared += not right.raised and right.value is not None
    if not _prints_alike(solution.output, other.output):
        return "its cells print other numbers than the solution's", compared
    return "", compared


def _pairs(
    trace: Trace,
    solution: AnsweredQuestion,
    other: AnsweredQuestion,
    perturb: Perturb,
    seed: int,
) -> Iterator[tuple[Answer, Answer]]:
    answers = replay(trace, solution, perturb, seed), replay(trace, other, perturb, seed)
    # Where one ends early, the step before told the two apart already.
    yield from zip(*answers, strict=False)


def _same(right: Answer, wrong: Answer) -> bool:
    return right.raised == wrong.raised and _alike(right.value, wrong.value)


def _alike(right: Any, wrong: Any) -> bool:
    if isinstance(right, StudentObject):
        return isinstance(wrong, StudentObject) and right.type_name == wrong.type_name
    if isinstance(right, dict):
        same_keys = isinstance(wrong, dict) and right.keys() == wrong.keys()
        return same_keys and all(_alike(right[key], wrong[key]) for key in right)
    if isinstance(right, list | tuple):
        same_length = type(right) is type(wrong) and len(right) == len(wrong)
        return same_length and all(map(_alike, right, wrong))
    if _is_numeric(right) and _is_numeric(wrong):
        close = np.shape(right) == np.shape(wrong)
        return close and np.allclose(right, wrong, rtol=1e-9, atol=1e-12, equal_nan=True)
    return type(right) is type(wrong) and bool(np.all(right == wrong))


def _is_numeric(value: Any) -> bool:
    return isinstance(value, int | float | complex | np.ndarray | np.generic) and (
        np.asarray(value).dtype.kind in "biufc"
    )


def _prints_alike(right: str, wrong: str) -> bool:
    """Whether two texts hold the same numbers; `1` and `1.0` are the same one."""
    numbers = [[float(text) for text in NUMBER.findall(output)] for output in (right, wrong)]
    return _alike(*map(np.array, numbers)) and len(numbers[0]) == len(numbers[1])


def _words(right: Answer, wrong: Answer) -> str:
    if _is_call(right) and _is_call(wrong) and _alike(right.value["value"], wrong.value["value"]):
        return f"{right.label} leaves its arguments otherwise than the solution does"
    right, wrong = _narrowed(right, wrong)
    return f"{right.label} gives {_shown(wrong)} where the solution gives {_shown(right)}"


def _narrowed(right: Answer, wrong: Answer) -> tuple[Answer, Answer]:
    """The first entry that differs, where both are entries by name: the rest hides it."""
    if not all(isinstance(a.value, dict) and not _is_call(a) for a in (right, wrong)):
        return right, wrong
    for key in {**right.value, **wrong.value}:
        values = [answer.value.get(key, NOTHING) for answer in (right, wrong)]
        if not _alike(*values):
            label = f"{right.label}[{key!r}]"
            return Answer(label, values[0]), Answer(label, values[1])
    return right, wrong


def _shown(answer: Answer) -> str:
    if answer.raised:
        return answer.raised
    value = answer.value["value"] if _is_call(answer) else answer.value
    with np.printoptions(precision=6, threshold=6, edgeitems=2, suppress=False):
        text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _is_call(answer: Answer) -> bool:
    """Whether it is a call's result together with its arguments as they are afterwards."""
    return isinstance(answer.value, dict) and answer.value.keys() == {"value", "arguments"}


# --- other numbers ----------------------------------------------------------------


def _unchanged(value: Any, rng: np.random.Generator) -> Any:
    return value


def _jittered(value: Any, rng: np.random.Generator) -> Any:
    """Every number a little different, zeros too."""
    if not _is_real(value):
        return value
    noise = rng.normal(size=(2, *np.shape(value)))
    return _like(value, np.asarray(value) * (1 + 0.2 * noise[0]) + 0.1 * noise[1])


def _shuffled(value: Any, rng: np.random.Generator) -> Any:
    """Numbers, labels and counts in another order, and of another size."""
    if isinstance(value, np.ndarray) and value.size:
        mixed = rng.permutation(value.ravel()).reshape(value.shape)
        return mixed * 3.0 if value.dtype.kind == "f" else mixed
    return value * 3.0 if isinstance(value, float) else value


def _halved_to_zero(value: Any, rng: np.random.Generator) -> Any:
    """Half of the numbers zero."""
    if not _is_real(value):
        return value
    return _like(value, np.asarray(value) * rng.integers(2, size=np.shape(value)))


def _counted_on(value: Any, rng: np.random.Generator) -> Any:
    """Counts larger by one."""
    return value + 1 if type(value) is int and value > 0 else value


def _large(value: Any, rng: np.random.Generator) -> Any:
    """Numbers so large that exponentials overflow."""
    return value * 300.0 if _is_real(value) else value


def _is_real(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def _like(value: Any, changed: np.ndarray) -> Any:
    return changed.astype(value.dtype) if isinstance(value, np.ndarray) else float(changed)


PERTURBATIONS: tuple[Perturb, ...] = (
    *(_unchanged, _jittered, _shuffled, _halved_to_zero, _counted_on, _large),
)
