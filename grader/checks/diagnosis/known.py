"""Known wrong answers: which named mistake a student's wrong result equals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.diagnosis.codes import sentence
from grader.records import Diagnosis

Floats: TypeAlias = NDArray[np.float64]
Named: TypeAlias = ArrayLike | tuple[str, ArrayLike]

RELATIVE_TOLERANCE = 1e-7
"""A named answer is computed as exactly as a right one."""

ROUNDING = 1e-13
"""Of the largest element: what is left where a sum cancels."""

CONFIDENCE = 0.98


def known_wrong(actual: ArrayLike, candidates: Mapping[str, Named]) -> Diagnosis | None:
    """The one wrong answer that a wrong result equals; None where none or several do.

    A candidate is the wrong answer's value behind the sentence that the
    student reads, or the value alone where the code is one of ours. Its shape
    counts: a result that was averaged by mistake has the shape of an average.
    """
    array = np.asarray(actual, dtype=np.float64)
    matching = {}
    for code, named in candidates.items():
        text, value = read_named(code, named)
        if equals(array, value):
            matching[code] = text
    if len(matching) != 1:
        return None
    [(code, text)] = matching.items()
    return Diagnosis(code, text, CONFIDENCE)


def read_named(code: str, named: Named) -> tuple[str, Floats]:
    """A candidate's sentence and value.

    Raises:
        ValueError: it has no sentence, and its code is not one of ours.
    """
    if isinstance(named, tuple) and len(named) == 2 and isinstance(named[0], str):
        return named[0], np.asarray(named[1], dtype=np.float64)
    return sentence(code), np.asarray(named, dtype=np.float64)


def equals(array: Floats, candidate: Floats) -> bool:
    """Whether two arrays agree up to rounding; axes of size 1 may differ."""
    if squeezed(array.shape) != squeezed(candidate.shape):
        return False
    a, b = array.reshape(-1), candidate.reshape(-1)
    if not np.isfinite(a).all() or not np.isfinite(b).all():
        return False
    largest = float(np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(a - b) <= RELATIVE_TOLERANCE * np.abs(b) + ROUNDING * largest))


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of size 1."""
    return tuple(n for n in shape if n != 1)
