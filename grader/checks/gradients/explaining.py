"""Gives a failed gradient check the name of the bug behind it, where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grader.checks.closeness import ValueMismatch
from grader.checks.diagnosis.known import read_named
from grader.checks.diagnosis.naming import DiagnosisContext, diagnose
from grader.checks.gradients.calling import Floats, SampledFunction
from grader.checks.gradients.differentiating import differentiate
from grader.checks.gradients.guards import WrongShape
from grader.checks.gradients.many import MANY
from grader.checks.gradients.results import GradientResult, relative_errors
from grader.records import CheckStatus, Diagnosis

SMALL, CLOSEST = 1e-4, 1e-12
"""Mistakes that are looked at again, and the tolerance at which that is done."""

WHOLE = frozenset(
    [
        *("all_zero", "normalised", "clipping", "integer"),
        *("one_element", "wrong_order", "summed_over_everything"),
    ]
)
"""What can be said of all elements, not of a sample."""


def explained(
    result: GradientResult, function: SampledFunction, context: DiagnosisContext | None
) -> GradientResult:
    """A result, with its diagnosis where the gradient is wrong."""
    if result.status is not CheckStatus.FAILED:
        return result
    told = _told(context, function, result.error_estimate)
    known = np.isfinite(result.numeric)
    if not known.all():
        return replace(result, diagnosis=_of_sample(result, known, told))
    found = diagnose(result.analytic, result.numeric, told)
    if found is None and np.max(relative_errors(result.analytic, result.numeric)) < SMALL:
        return _looked_at_closely(result, function, told)
    return replace(result, diagnosis=found)


def _looked_at_closely(
    result: GradientResult, function: SampledFunction, told: DiagnosisContext
) -> GradientResult:
    """A small mistake shows its form only beside numbers that are still closer than a verdict's."""
    x = function.point.x
    found = differentiate(function, function.read(function.at([x])[0]), CLOSEST)
    told = replace(told, error_estimate=found.error.reshape(x.shape))
    diagnosis = diagnose(result.analytic, found.value.reshape(x.shape), told)
    return replace(result, diagnosis=diagnosis, evaluations=function.evaluations)


def _of_sample(
    result: GradientResult, known: NDArray[np.bool_], told: DiagnosisContext
) -> Diagnosis | None:
    """What the few elements tell that were differentiated among many.

    They are enough for factors, weight decay and variants, which hold in each
    element by itself.
    """
    given = {c: value for c, value in told.variants.items() if not isinstance(value, Mapping)}
    named = {code: read_named(code, value) for code, value in given.items()}
    theta = None if told.parameters is None else np.asarray(told.parameters, dtype=np.float64)
    sample = replace(
        told,
        parameters=None if theta is None else theta.reshape(known.shape)[known],
        error_estimate=result.error_estimate[known],
        inputs=None,
        upstream=None,
        # A sample has lost the shape that tells weights from a bias.
        is_bias=False if told.is_bias is None and known.ndim > 1 else told.is_bias,
        variants={
            code: (text, array[known])
            for code, (text, array) in named.items()
            if array.shape == known.shape
        },
    )
    found = diagnose(result.analytic[known], result.numeric[known], sample)
    return None if found is None or WHOLE.intersection(found.code.split("+")) else found


def explained_shape(
    result: GradientResult,
    wrong: WrongShape,
    function: SampledFunction,
    context: DiagnosisContext | None,
) -> GradientResult:
    """Differentiate all the same: the right numbers may tell where a wrong shape comes from."""
    x = function.point.x
    if x.size > MANY:
        return result
    try:
        centre = function.read(function.at([x])[0])
        found = differentiate(function, centre, result.relative_tolerance)
    except ValueMismatch:
        return result
    told = _told(context, function, found.error.reshape(x.shape))
    diagnosis = diagnose(wrong.array, found.value.reshape(x.shape), told)
    return replace(result, diagnosis=diagnosis, evaluations=function.evaluations)


def _told(
    context: DiagnosisContext | None, function: SampledFunction, error: Floats
) -> DiagnosisContext:
    """The author's context, and what the check knows itself."""
    told = context or DiagnosisContext()
    has_upstream = not function.elementwise and function.shape != ()
    upstream = function.weights.reshape(function.shape) if has_upstream else None
    return replace(
        told,
        error_estimate=error,
        inputs=function.point.x if told.inputs is None else told.inputs,
        upstream=upstream if told.upstream is None else told.upstream,
    )
