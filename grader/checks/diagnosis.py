"""Names the bug behind a wrong gradient, or says nothing.

The numeric gradient is precise enough that a typical bug reproduces the
student's numbers exactly. A name is given only for such an exact fit, and only
where no second explanation of the same simplicity fits as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from grader.checks.diagnosis_codes import SENTENCES, joined_code, joined_text
from grader.checks.diagnosis_context import (
    Block,
    Blocks,
    DiagnosisContext,
    Variant,
    read_blocks,
)
from grader.checks.diagnosis_fit import (
    Fit,
    Precision,
    Regressor,
    decay_fits,
    factor_fits,
    precision_of,
)
from grader.checks.diagnosis_layers import layer_mistakes
from grader.checks.diagnosis_shapes import pattern_fits, rearranged
from grader.records import Diagnosis

__all__ = ["DiagnosisContext", "diagnose"]

FEWEST = 3
"""Two numbers fit too many explanations."""

CONFIDENCE = {1: 0.99, 2: 0.95, 3: 0.9}
"""By the cost of an explanation: the share of right names in the benchmark is above each."""


def diagnose(
    analytic: Blocks, numeric: Blocks, context: DiagnosisContext | None = None
) -> Diagnosis | None:
    """The bug that makes a wrong gradient what it is; None where it is right, or not known.

    `analytic` is the student's gradient and `numeric` what it should be: an
    array each, or a dict of blocks each. One explanation must hold for all
    wrong blocks, or two, each for blocks of its own. A code is one of ours, one
    of the context's variants, or two of them joined by `+`.

    Raises:
        ValueError: the context does not fit the gradients, or a variant lacks its sentence.
    """
    blocks = read_blocks(analytic, numeric, context or DiagnosisContext())
    if not all(np.isfinite(side).all() for b in blocks for side in (b.analytic, b.numeric)):
        return None
    precision = precision_of(blocks)
    if precision is None:
        return None
    wrong = [block for block in blocks if not _is_right(block, precision)]
    if sum(block.numeric.size for block in wrong) < FEWEST:
        return None
    fits = [_fits(block, precision) for block in wrong]
    found = _common(fits) or _separate(wrong, fits)
    return None if found is None else _told(found, wrong)


def _is_right(block: Block, precision: Precision) -> bool:
    if block.analytic.shape != block.numeric.shape:
        return False
    return precision.same(block.analytic, block.numeric, block.error)


def _fits(block: Block, precision: Precision) -> dict[frozenset[str], int]:
    """All explanations of one block, with what each costs."""
    found: dict[frozenset[str], int] = {}
    for fit in _all_fits(block, precision):
        found[fit.parts] = min(fit.cost, found.get(fit.parts, fit.cost))
    return found


def _all_fits(block: Block, precision: Precision) -> Iterator[Fit]:
    for regressor in _regressors(block, precision):
        yield from factor_fits(block, regressor, precision)
        yield from decay_fits(block, regressor, precision)
    yield from pattern_fits(block, precision)


def _regressors(block: Block, precision: Precision) -> Iterator[Regressor]:
    """Arrays of the analytic gradient's shape that it may be a multiple of."""
    shape, size = block.analytic.shape, block.analytic.size
    if block.numeric.shape == shape:
        yield Regressor("", block.numeric, block.error)
    exact = np.zeros(shape)
    own = [v for v in block.variants if v.value.size == size and _fits_shape(v.value, block)]
    for variant in own:
        yield Regressor(variant.code, variant.value.reshape(shape), exact)
    made = [Regressor(code, array, exact) for code, array in layer_mistakes(block)]
    for regressor in (*made, *rearranged(block)):
        if regressor.value.size == size and _fits_shape(regressor.value, block):
            shaped = replace(
                regressor,
                value=regressor.value.reshape(shape),
                error=regressor.error.reshape(shape) if regressor.error.size == size else exact,
            )
            if not _is_known(shaped, block, own, precision):
                yield shaped


def _fits_shape(value: np.ndarray, block: Block) -> bool:
    drop = [tuple(n for n in a.shape if n != 1) for a in (value, block.analytic)]
    return drop[0] == drop[1]


def _is_known(
    made: Regressor, block: Block, variants: Sequence[Variant], precision: Precision
) -> bool:
    """Whether an array is the right gradient, or one that the author has named otherwise."""
    shape = block.analytic.shape
    if block.numeric.shape == shape and precision.same(made.value, block.numeric, block.error):
        return True
    return any(
        precision.same(made.value, variant.value.reshape(shape), made.error)
        for variant in variants
    )
