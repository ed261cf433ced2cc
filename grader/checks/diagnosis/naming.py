"""Names the bug behind a wrong gradient, or says nothing.

The numeric gradient is precise enough that a typical bug reproduces the
student's numbers exactly. A name is given only for such an exact fit, and only
where no second explanation of the same simplicity fits as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from grader.checks.diagnosis.codes import SENTENCES, joined_code, joined_text
from grader.checks.diagnosis.context import (
    Block,
    Blocks,
    DiagnosisContext,
    Floats,
    read_blocks,
    same_up_to_ones,
)
from grader.checks.diagnosis.fit import (
    Fit,
    Precision,
    Regressor,
    decay_fits,
    factor_fits,
    precision_of,
)
from grader.checks.diagnosis.layers import layer_mistakes
from grader.checks.diagnosis.shapes import DESCRIPTIVE, pattern_fits, rearranged
from grader.records import Diagnosis

__all__ = ["DiagnosisContext", "diagnose"]

Parts: TypeAlias = frozenset[str]

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
    found = _explanation(wrong, [_fits(block, precision) for block in wrong])
    return None if found is None else _told(found, wrong)


def _explanation(wrong: Sequence[Block], fits: Sequence[Mapping[Parts, int]]) -> Fit | None:
    """The one explanation that holds for all wrong blocks, or two that share them out."""
    shared = {
        parts: max(own[parts] for own in fits) for parts in fits[0] if all(parts in f for f in fits)
    }
    if shared:
        found = _cheapest(shared)
        is_place = found is not None and found.cost >= DESCRIPTIVE
        return None if is_place and len(wrong) > 1 else found
    large = [own for own, block in zip(fits, wrong, strict=True) if block.numeric.size >= FEWEST]
    named = [found.parts for own in large if (found := _cheapest(own)) and found.cost < DESCRIPTIVE]
    together = frozenset[str]().union(*named)
    explained = all(any(parts <= together for parts in own) for own in fits)
    return Fit(together, len(together)) if explained and len(together) == 2 else None


def _cheapest(fits: Mapping[Parts, int]) -> Fit | None:
    """The simplest explanation; None where there is none, or another one as simple."""
    least = min(fits.values(), default=0)
    cheapest = [parts for parts, cost in fits.items() if cost == least]
    return Fit(cheapest[0], least) if len(cheapest) == 1 else None


def _told(found: Fit, wrong: Sequence[Block]) -> Diagnosis:
    own = {variant.code: variant.text for block in wrong for variant in block.variants}
    codes = sorted(found.parts)
    text = joined_text([own.get(code) or SENTENCES[code] for code in codes])
    return Diagnosis(joined_code(codes), text, CONFIDENCE[min(found.cost, 3)])


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
    if block.numeric.shape == block.analytic.shape:
        yield Regressor("", block.numeric, block.error)
    variants = [Regressor(v.code, v.value, np.zeros(v.value.shape)) for v in block.variants]
    own = [v for v in _shaped(variants, block) if not _is_right_array(v.value, block, precision)]
    yield from own
    made = [Regressor(code, a, np.zeros(a.shape)) for code, a in layer_mistakes(block)]
    for regressor in _shaped([*made, *rearranged(block)], block):
        value, error = regressor.value, regressor.error
        # What the author has named has that name, and no other.
        named = any(precision.same(value, variant.value, error) for variant in own)
        if not named and not _is_right_array(value, block, precision):
            yield regressor


def _shaped(regressors: Sequence[Regressor], block: Block) -> Iterator[Regressor]:
    """Those that have the analytic gradient's shape up to axes of size 1, in that shape."""
    shape = block.analytic.shape
    for regressor in regressors:
        if same_up_to_ones(regressor.value, block.analytic):
            value, error = regressor.value.reshape(shape), regressor.error.reshape(shape)
            yield Regressor(regressor.code, value, error)


def _is_right_array(value: Floats, block: Block, precision: Precision) -> bool:
    """Whether a wrong formula gives the right numbers here, and so explains nothing."""
    if value.shape != block.numeric.shape:
        return False
    return precision.same(value, block.numeric, block.error)
