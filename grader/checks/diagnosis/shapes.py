"""Bugs that show in the numbers themselves: shapes, orders, cuts, and single elements."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from grader.checks.diagnosis.context import Block, Floats, same_up_to_ones
from grader.checks.diagnosis.fit import SAFETY, Bools, Fit, Precision, Regressor

DESCRIPTIVE = 3
"""Which elements are wrong is said only where nothing says why."""

FEW = 3
"""Fewer elements or rows than this show no pattern."""


def rearranged(block: Block) -> Iterator[Regressor]:
    """The right numbers in another arrangement, of the analytic gradient's shape."""
    right, error, shape = block.numeric, block.error, block.analytic.shape
    if right.ndim == 2 and min(right.shape) > 1:
        for value, its_error in ((right.T, error.T), (_misread(right), _misread(error))):
            if value.shape == shape:
                yield Regressor("transposed", value, its_error)
        yield Regressor("transposed", right.T.reshape(right.shape), error.T.reshape(right.shape))
    if right.size == block.analytic.size and not same_up_to_ones(right, block.analytic):
        yield Regressor("wrong_shape", right.reshape(shape), error.reshape(shape))
    if right.size >= FEW and (block.analytic.size == 1 or shape == right.shape):
        total, total_error = np.full(shape, right.sum()), np.full(shape, error.sum())
        yield Regressor("summed_over_everything", total, total_error)


def _misread(array: Floats) -> Floats:
    """The array that a reshape makes where a transpose was meant."""
    return array.reshape(array.shape[::-1]).T


def pattern_fits(block: Block, precision: Precision) -> Iterator[Fit]:
    """Explanations that are no multiple of any array."""
    if block.analytic.shape != block.numeric.shape:
        yield from _shape_fits(block, precision)
        return
    if not block.analytic.any():
        yield _fit("all_zero")
        return
    yield from _value_fits(block, precision)
    yield from _place_fits(block, precision)


def _fit(code: str, cost: int = 1) -> Fit:
    return Fit(frozenset({code}), cost)


def _shape_fits(block: Block, precision: Precision) -> Iterator[Fit]:
    """One gradient for each example, or a table where a vector was meant."""
    given, right = block.analytic, block.numeric
    if given.ndim >= 2 and given[0].size == right.size and len(given) > 1:
        examples = given.reshape(len(given), -1)
        flat, error = right.reshape(-1), block.error.reshape(-1)
        sums = (examples.sum(axis=0), examples.mean(axis=0))
        if any(precision.same(total, flat, error) for total in sums):
            yield _fit("not_summed")
    n = right.size
    if given.shape == (n, n) and max(right.shape, default=1) == n >= FEW:
        diagonal = np.diagonal(given)
        if precision.same(diagonal, right.reshape(-1), block.error.reshape(-1)):
            yield _fit("broadcast")


def _value_fits(block: Block, precision: Precision) -> Iterator[Fit]:
    given, right, error = block.analytic, block.numeric, block.error
    if np.array_equal(given, np.round(given)) and _is_cut(given, right, error):
        yield _fit("integer")
    norm = float(np.linalg.norm(right))
    if norm > 0.0 and precision.same(given, right / norm, error / norm):
        yield _fit("normalised")
    if _is_clipped(given, right, error, precision):
        yield _fit("clipping")


def _is_cut(given: Floats, right: Floats, error: Floats) -> bool:
    """Whether whole numbers are the right ones rounded towards 0, down, or to the nearest."""
    slack = SAFETY * error + 1e-9 * np.abs(right)
    gap = right - given
    inwards = (np.abs(given) <= np.abs(right) + slack) & (np.abs(gap) < 1.0)
    down = (gap >= -slack) & (gap < 1.0)
    return bool(inwards.all() or down.all() or (np.abs(gap) <= 0.5 + slack).all())


def _is_clipped(given: Floats, right: Floats, error: Floats, precision: Precision) -> bool:
    """Two elements at least are cut to one bound, and two more below it are right."""
    size = np.abs(given)
    bound = float(size.max())
    cut = size >= bound * (1.0 - 1e-12)
    kept = ~cut & (given != 0.0)
    if cut.sum() < 2 or kept.sum() < 2 or not (np.sign(given) == np.sign(right))[cut].all():
        return False
    wrong = precision.differs(given, right, error)
    beyond = np.abs(right) > bound
    return bool(beyond[wrong].all() and wrong[cut].sum() >= 2 and not wrong[~cut].any())


def _place_fits(block: Block, precision: Precision) -> Iterator[Fit]:
    """Which elements are wrong, where most are right."""
    given, right, error = block.analytic, block.numeric, block.error
    wrong = precision.differs(given, right, error)
    if wrong.sum() == 1 and right.size > FEW:
        yield _fit("one_element", DESCRIPTIVE)
    elif right.ndim == 2 and right.shape[1] > 1:
        if len(right) >= FEW and _one_line(wrong, 1):
            yield _fit("one_row", DESCRIPTIVE)
        if right.shape[1] >= FEW and _one_line(wrong, 0):
            yield _fit("one_column", DESCRIPTIVE)
        if len(right) >= FEW and _one_line(given != 0.0, 1) and not wrong[given.any(axis=1)].any():
            yield _fit("one_example_only")
    if _is_shuffled(given, right, precision):
        yield _fit("wrong_order", DESCRIPTIVE)


def _one_line(mask: Bools, axis: int) -> bool:
    return int(mask.any(axis=axis).sum()) == 1


def _is_shuffled(given: Floats, right: Floats, precision: Precision) -> bool:
    """The same numbers at other places; only where no number occurs twice."""
    ordered = np.sort(right.reshape(-1))
    if right.size <= FEW or precision.same(ordered[1:], ordered[:-1]):
        return False
    distinct = precision.differs(ordered[1:], ordered[:-1]).all()
    return bool(distinct) and precision.same(np.sort(given.reshape(-1)), ordered)
