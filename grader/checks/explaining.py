"""Gives a failed gradient check the name of the bug behind it, where there is one."""

from __future__ import annotations

from dataclasses import replace

from grader.checks.calling import Floats, SampledFunction
from grader.checks.closeness import ValueMismatch
from grader.checks.diagnosis import DiagnosisContext, diagnose
from grader.checks.differentiating import differentiate
from grader.checks.guards import WrongShape
from grader.checks.many import MANY
from grader.checks.results import GradientResult
from grader.records import CheckStatus


def explained(
    result: GradientResult, function: SampledFunction, context: DiagnosisContext | None
) -> GradientResult:
    """A result, with its diagnosis where the gradient is wrong."""
    if result.status is not CheckStatus.FAILED:
        return result
    told = _told(context, function, result.error_estimate)
    return replace(result, diagnosis=diagnose(result.analytic, result.numeric, told))


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
