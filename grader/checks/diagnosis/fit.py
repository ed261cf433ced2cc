"""Exact fits of a gradient by named numbers times named arrays.

A least-squares fit proposes the coefficients; the named numbers near them are
then put in their place, and only what reproduces every element counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.diagnosis.context import Block, DiagnosisContext, Floats, rms

Bools: TypeAlias = NDArray[np.bool_]

PROPOSED = 1e-2
"""How near a fitted coefficient must be to a named number for the number to be tried."""

COLLINEAR = 1e-6
"""Parameters this parallel to the gradient say nothing about weight decay."""

SAFETY = 4.0
"""As in the checks: the numeric error is an estimate."""

DOUBLE = (1e-10, 1e-7, 1e-13)
SINGLE = (1e-6, 1e-5, 2e-6)
"""Smallest and largest relative tolerance, and the floor in rms, by the student's precision."""

SHARP = 50.0
"""The mistake must be this many tolerances large, or else several names would fit it."""


@dataclass(frozen=True)
class Precision:
    """What counts as exact."""

    relative: float
    floor: float

    def same(self, first: Floats, second: Floats, error: Floats | float = 0.0) -> bool:
        """Whether two arrays of one shape agree in every element."""
        return not self.differs(first, second, error).any()

    def differs(self, first: Floats, second: Floats, error: Floats | float = 0.0) -> Bools:
        """Per element, whether the arrays differ by more than the precision and the error."""
        scale = np.maximum(np.abs(first), np.abs(second))
        tolerance = SAFETY * np.asarray(error) + self.relative * scale + self.floor * rms(second)
        differs: Bools = ~(np.abs(first - second) <= tolerance)
        return differs


@dataclass(frozen=True, eq=False)
class Regressor:
    """An array that the gradient may be a multiple of; the right one has no code.

    `error` is the numeric error that it inherits.
    """

    code: str
    value: Floats
    error: Floats


@dataclass(frozen=True)
class Fit:
    """An explanation: the codes of all its bugs; the fewer it needs, the cheaper."""

    parts: frozenset[str]
    cost: int


def precision_of(blocks: Iterable[Block]) -> Precision | None:
    """How exactly the gradients can be compared; None where too coarsely to name anything."""
    blocks = list(blocks)
    flat = np.concatenate([block.analytic.reshape(-1) for block in blocks])
    lowest, highest, floor = SINGLE if is_single(flat) else DOUBLE
    pairs = [block for block in blocks if block.analytic.shape == block.numeric.shape]
    if len(pairs) < len(blocks):
        return Precision(highest, floor)
    numeric = np.concatenate([block.numeric.reshape(-1) for block in blocks])
    error = np.concatenate([block.error.reshape(-1) for block in blocks])
    known = np.isfinite(error)
    if known.mean() < 0.75:
        return None
    gap = float(np.linalg.norm((flat - numeric)[known]))
    scale = max(float(np.linalg.norm(flat)), float(np.linalg.norm(numeric)))
    relative = min(highest, max(lowest, 1e-3 * gap / scale)) if scale else highest
    coarse = relative * scale + SAFETY * float(np.linalg.norm(error[known]))
    return None if gap <= SHARP * coarse else Precision(relative, floor)


def is_single(flat: Floats) -> bool:
    """Whether all numbers are float32, some of them of many digits."""
    with np.errstate(over="ignore"):
        single = flat.astype(np.float32).astype(np.float64)
    return bool(np.array_equal(single, flat) and (flat * 4096 % 1 != 0).any())


def named_numbers(context: DiagnosisContext) -> list[tuple[str, float]]:
    """The factors that the context gives a name to."""
    named = [("sign", -1.0), ("factor_two", 2.0), ("factor_half", 0.5)]
    counts = {
        "batch": context.batch_size,
        "class": context.n_classes,
        "feature": context.n_features,
        "hidden": context.n_hidden,
    }
    for word, count in counts.items():
        if count is not None and count > 1:
            named += [(f"missing_{word}_mean", float(count)), (f"extra_{word}_mean", 1.0 / count)]
    if context.batch_size is not None and context.batch_size > 2:
        ratio = context.batch_size / (context.batch_size - 1.0)
        named += [("count_off_by_one", ratio), ("count_off_by_one", 1.0 / ratio)]
    if context.learning_rate:
        named.append(("learning_rate", context.learning_rate))
    return named


def factor_fits(block: Block, regressor: Regressor, precision: Precision) -> Iterator[Fit]:
    """Named factors, up to two bugs in all, by which the gradient is a multiple of the array."""
    known = np.isfinite(regressor.error)
    measured = _coefficient(block.analytic[known], regressor.value[known])
    if measured is None:
        return
    own = frozenset({regressor.code} - {""})
    for parts, number in _products(block.context, 2 - len(own)):
        if not (parts or own) or not _near(measured, number):
            continue
        if precision.same(block.analytic, number * regressor.value, abs(number) * regressor.error):
            yield Fit(own | parts, len(own) + len(parts))


def _coefficient(target: Floats, value: Floats) -> float | None:
    square = float(np.vdot(value, value))
    if not square > 0.0 or not math.isfinite(square):
        return None
    return float(np.vdot(target, value)) / square


def _near(measured: float, number: float) -> bool:
    return abs(measured - number) <= PROPOSED * abs(number)


def _products(context: DiagnosisContext, most: int) -> Iterator[tuple[frozenset[str], float]]:
    named = named_numbers(context)
    yield frozenset(), 1.0
    for code, number in named:
        yield frozenset({code}), number
    if most > 1:
        for (first, a), (second, b) in combinations(named, 2):
            if first != second and not math.isclose(a * b, 1.0):
                yield frozenset({first, second}), a * b


def decay_fits(block: Block, regressor: Regressor, precision: Precision) -> Iterator[Fit]:
    """Explanations by a wrong share of the weight decay, beside at most one other bug."""
    theta = block.parameters
    if theta is None or theta.shape != block.analytic.shape:
        return
    known = np.isfinite(regressor.error)
    pair = _two_coefficients(block.analytic[known], regressor.value[known], theta[known])
    if pair is None:
        return
    own = frozenset({regressor.code} - {""})
    if not block.context.weight_decay:
        yield from _unknown_decay(block, regressor, pair, precision)
        return
    for truth in _decay_truths(block):
        yield from _known_decay(block, regressor, (own, pair, truth), precision)


def _two_coefficients(target: Floats, value: Floats, theta: Floats) -> tuple[float, float] | None:
    """Least squares for target = c1 value + c2 theta, all of them flat."""
    norms = float(np.linalg.norm(value)), float(np.linalg.norm(theta))
    if min(norms) == 0.0 or not all(map(math.isfinite, norms)):
        return None
    design = np.stack([value / norms[0], theta / norms[1]], axis=1)
    if np.linalg.svd(design, compute_uv=False)[-1] < COLLINEAR:
        return None
    found = np.linalg.lstsq(design, target, rcond=None)[0]
    return float(found[0] / norms[0]), float(found[1] / norms[1])


def _unknown_decay(
    block: Block, regressor: Regressor, pair: tuple[float, float], precision: Precision
) -> Iterator[Fit]:
    """The strength is not known: any multiple of the parameters, and nothing else wrong."""
    prediction = regressor.value + pair[1] * np.asarray(block.parameters)
    if not regressor.code and precision.same(block.analytic, prediction, regressor.error):
        code = "weight_decay_on_bias" if block.is_bias else "weight_decay_wrong"
        yield Fit(frozenset({code}), 1)


def _decay_truths(block: Block) -> tuple[bool, ...]:
    """Whether the right gradient decays; a vector whose nature is not told may be a bias."""
    if block.is_bias is None and block.numeric.ndim < 2:
        return (True, False)
    return (not block.is_bias,)


def _known_decay(
    block: Block,
    regressor: Regressor,
    found: tuple[frozenset[str], tuple[float, float], bool],
    precision: Precision,
) -> Iterator[Fit]:
    """a = f (r - share) + m decay, with f a named factor and m a named multiple of the decay."""
    own, (first, second), truth = found
    strength = float(block.context.weight_decay or 0.0)
    decay = strength * np.asarray(block.parameters)
    for parts, factor in _products(block.context, 1):
        if not _near(first, factor):
            continue
        plain = factor if truth else 0.0
        measured = second / strength + plain
        for code, multiple in _multiples(block.context, truth):
            bugs = own | parts | frozenset({code} - {""})
            if len(bugs) > 2:
                continue
            # The factor may stand before the data's part alone, or before everything.
            for share in {multiple, factor * multiple} - {plain}:
                if abs(measured - share) > PROPOSED * max(abs(share), 1.0):
                    continue
                prediction = factor * (regressor.value - truth * decay) + share * decay
                if precision.same(block.analytic, prediction, abs(factor) * regressor.error):
                    yield Fit(bugs, len(bugs))


def _multiples(context: DiagnosisContext, truth: bool) -> list[tuple[str, float]]:
    """What may stand before the decay; the code is empty where it is right."""
    if not truth:
        return [("weight_decay_on_bias", 1.0), ("weight_decay_on_bias", 2.0)]
    named = [
        ("", 1.0),
        ("weight_decay_missing", 0.0),
        ("weight_decay_sign", -1.0),
        ("weight_decay_doubled", 2.0),
        ("weight_decay_halved", 0.5),
        ("weight_decay_unscaled", 1.0 / float(context.weight_decay or 1.0)),
    ]
    if context.batch_size is not None and context.batch_size > 1:
        named.append(("weight_decay_averaged", 1.0 / context.batch_size))
        named.append(("weight_decay_summed", float(context.batch_size)))
    return named
