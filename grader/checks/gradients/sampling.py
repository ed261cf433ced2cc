"""Turns the function under check into the samplers that a ladder asks.

Each lane moves along a line: one element of the point, a direction through
many of them, or, for an elementwise function, each element at the same time.
A vector is contracted only after the difference was taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.calling import SampledFunction
from grader.checks.gradients.ladder import Ints, Pairs, Sampler

Floats: TypeAlias = NDArray[np.float64]
Line: TypeAlias = int | Floats
"""The flat index of the element that moves, or a direction of the point's size."""

_Request: TypeAlias = tuple[int, float]
_Triple: TypeAlias = tuple[float, float, float]
_Measure: TypeAlias = Callable[[list[_Request]], list[_Triple]]


def line_sampler(function: SampledFunction, centre: Floats, lines: Sequence[Line]) -> Sampler:
    """Lane i moves along `lines[i]`; results are contracted after the difference."""

    def measure(requests: list[_Request]) -> list[_Triple]:
        values = function.around(_moved(function.point.x, lines, requests))
        weights = function.weights
        return [_contract(next(values), next(values), centre, weights) for _ in requests]

    return _remembering(measure)


def elementwise_sampler(function: SampledFunction, centre: Floats) -> Sampler:
    """All lanes move at once, each by its own step."""

    def measure(requests: list[_Request]) -> list[_Triple]:
        rounds = _rounds(requests)
        values = function.around(_moved_together(function.point.x, rounds))
        found: dict[_Request, _Triple] = {}
        for steps in rounds:
            odd, even, size = _differences(next(values), next(values), centre)
            for lane, step in steps.items():
                found[lane, step] = float(odd[lane]), float(even[lane]), float(size[lane])
        return [found[request] for request in requests]

    return _remembering(measure)


def _remembering(measure: _Measure) -> Sampler:
    """A sampler that asks for no step twice: ladders share many of theirs."""
    known: dict[_Request, _Triple] = {}

    def sample(lanes: Ints, steps: Floats) -> Pairs:
        rows = zip(lanes.tolist(), steps.tolist(), strict=True)
        requests = [(lane, step) for lane, row in rows for step in row]
        new = [request for request in dict.fromkeys(requests) if request not in known]
        known.update(zip(new, measure(new), strict=True))
        odd, even, size = np.array([known[r] for r in requests]).T.reshape(3, *steps.shape)
        return Pairs(odd, even, size)

    return sample


def _moved(x: Floats, lines: Sequence[Line], requests: list[_Request]) -> Iterator[Floats]:
    for lane, step in requests:
        line = lines[lane]
        for signed in (step, -step):
            if isinstance(line, int):
                moved = x.copy()
                moved.reshape(-1)[line] += signed
                yield moved
            else:
                yield x + signed * line.reshape(x.shape)


def _moved_together(x: Floats, rounds: list[dict[int, float]]) -> Iterator[Floats]:
    for steps in rounds:
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved.reshape(-1)[list(steps)] += sign * np.array(list(steps.values()))
            yield moved


def _rounds(requests: list[_Request]) -> list[dict[int, float]]:
    """Steps that can be taken at once: at most one a lane in each round."""
    rounds: list[dict[int, float]] = []
    taken: dict[int, int] = {}
    for lane, step in requests:
        turn = taken.get(lane, 0)
        taken[lane] = turn + 1
        if turn == len(rounds):
            rounds.append({})
        rounds[turn][lane] = step
    return rounds


def _differences(plus: Floats, minus: Floats, centre: Floats) -> tuple[Floats, Floats, Floats]:
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(plus), np.abs(minus))
        return plus - minus, (plus - centre) + (minus - centre), size


def _contract(plus: Floats, minus: Floats, centre: Floats, weights: Floats) -> _Triple:
    """Difference first, then sum exactly: the values' common part never enters the sum."""
    odd, even, size = _differences(plus, minus, centre)
    with np.errstate(all="ignore"):
        odd, even = weights * odd, weights * even
        if not (np.isfinite(odd).all() and np.isfinite(even).all()):
            return math.nan, math.nan, math.nan
        return _exact_sum(odd), _exact_sum(even), _norm(weights * size)


def _norm(terms: Floats) -> float:
    """Without squares that overflow."""
    largest = float(np.max(np.abs(terms)))
    return largest * float(np.linalg.norm(terms / largest)) if largest > 0.0 else 0.0


def _exact_sum(terms: Floats) -> float:
    try:
        return math.fsum(terms.tolist())
    except OverflowError:
        return math.nan
