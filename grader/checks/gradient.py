"""Gradient checks: a student's gradient against finite differences of their own function.

The numeric side and its error estimate come from `stencil`; here the functions
are called, guarded and judged. A pass is given only for what was resolved: what
the numbers cannot decide is `inconclusive`, and no absolute tolerance turns
that into a pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.closeness import ValueMismatch, as_array, first_index, format_index, format_pair
from grader.checks.diagnosis import DiagnosisContext
from grader.checks.explaining import WrongShape, explained, explained_shape
from grader.checks.results import (
    GradientCheckFailed,
    GradientInconclusive,
    GradientResult,
    NumericGradient,
    relative_errors,
    unravel,
)
from grader.checks.sampling import (
    Floats,
    Point,
    SampledFunction,
    differentiate,
    read_upstream,
    reshape,
)
from grader.checks.stencil import Estimate
from grader.records import CheckStatus

Bools: TypeAlias = NDArray[np.bool_]
Function: TypeAlias = Callable[[Any], Any]

RELATIVE_TOLERANCE = 1e-7
"""Ten times above the stencil's error in bad regimes, far below a dropped weight decay."""

SAFETY = 4.0
"""The error estimate is an estimate: a verdict asks for four of them."""

RESOLUTION = 1e-3
"""An element known less precisely than this has not been checked."""

NEGLIGIBLE = 1e-4
"""An unresolved element may be passed over where its error is this part of the largest one."""

BESIDE = 0.01
"""How far, in rms, to move away from a kink; far beyond the reach of the smallest steps."""


def numeric_gradient(
    f: Function, at: ArrayLike, *, upstream: ArrayLike | None = None
) -> NumericGradient:
    """Differentiate `f: array -> scalar` at a point by finite differences.

    With `upstream`, of the shape of f(at), the gradient of sum(upstream * f).
    An infinite error estimate says that no step gave finite values. Raises
    `ValueMismatch` where f does not return what was agreed.
    """
    point = Point(at)
    function = SampledFunction(f, point, read_upstream(upstream), elementwise=False)
    centre = next(function.results(iter([point.x])))
    found = differentiate(function, centre, RELATIVE_TOLERANCE)
    shape = point.x.shape
    return NumericGradient(
        found.value.reshape(shape), found.error.reshape(shape), function.evaluations
    )


def check_gradient(
    f: Function,
    grad: Function,
    *,
    at: ArrayLike,
    upstream: ArrayLike | None = None,
    relative_tolerance: float = RELATIVE_TOLERANCE,
    name: str = "the gradient",
    context: DiagnosisContext | None = None,
    raises: bool = True,
) -> GradientResult:
    """Check that `grad: array -> array of x's shape` is the gradient of `f: array -> scalar`.

    With `upstream`, of the shape of f(x), f may return an array and `grad` is
    the gradient of sum(upstream * f(x)). At a kink any value between the
    one-sided derivatives is right; another one is judged again at a point
    beside it. `context` helps to name the bug behind a wrong gradient. Raises
    `GradientCheckFailed` or `GradientInconclusive`, unless `raises` is false;
    what f or grad raise themselves passes through.
    """
    rules = _Rules(name, relative_tolerance, read_upstream(upstream), False, context)
    result, kinked = _check(f, grad, Point(at), rules)
    if kinked and result.status is CheckStatus.FAILED:
        result = _judge_beside(f, grad, Point(at), rules, result)
    return _deliver(result, raises)


def check_derivative(
    f: Function,
    df: Function,
    *,
    at: ArrayLike,
    relative_tolerance: float = RELATIVE_TOLERANCE,
    name: str = "the derivative",
    context: DiagnosisContext | None = None,
    raises: bool = True,
) -> GradientResult:
    """Check that `df` is the derivative of `f`, both elementwise on the array `at`.

    All elements are differentiated at once, in about 60 calls. Raises as
    `check_gradient` does; at a kink only values between the one-sided
    derivatives are right.
    """
    rules = _Rules(name, relative_tolerance, None, True, context)
    result, _ = _check(f, df, Point(at), rules)
    return _deliver(result, raises)


@dataclass(frozen=True)
class _Rules:
    """What a check was asked to do."""

    name: str
    tolerance: float
    upstream: Floats | None
    elementwise: bool
    context: DiagnosisContext | None = None


class _Refusal(Exception):
    """A guard's verdict, before any difference was taken."""

    def __init__(self, status: CheckStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _check(f: Function, grad: Function, point: Point, rules: _Rules) -> tuple[GradientResult, bool]:
    """Judge at one point; also say whether the point is a kink."""
    function = SampledFunction(f, point, rules.upstream, elementwise=rules.elementwise)
    try:
        centre, analytic, note = _guarded(function, grad, point, rules)
        found = differentiate(function, centre, rules.tolerance)
        _require_fresh(grad, point, analytic, rules)
    except _Refusal as refusal:
        return _refused(refusal.status, refusal.message, function, rules), False
    except WrongShape as wrong:
        result = _refused(CheckStatus.FAILED, str(wrong), function, rules)
        return explained_shape(result, wrong, function, rules.context), False
    except ValueMismatch as mismatch:
        return _refused(CheckStatus.FAILED, str(mismatch), function, rules), False
    result = _verdict(_Case(analytic, found, note, rules), function.evaluations)
    result = explained(result, function, rules.context)
    return result, bool((found.jump != 0.0).any())


def _guarded(
    function: SampledFunction, grad: Function, point: Point, rules: _Rules
) -> tuple[Floats, Floats, str]:
    """Call both at the point; return f's flat result, the gradient and a note on its shape.

    A gradient that is wrong by itself fails before anything that only leaves
    the check undecided is looked at.
    """
    first, second = map(function.read, _base_values(function, point))
    analytic, note = _analytic(grad, point, rules.name)
    if not np.array_equal(first, second, equal_nan=True):
        raise _Refusal(
            CheckStatus.INCONCLUSIVE,
            f"{rules.name} cannot be checked: the function is not deterministic "
            "(two calls with the same argument gave different results)",
        )
    if not np.isfinite(first).all():
        raise _Refusal(
            CheckStatus.INCONCLUSIVE,
            f"{rules.name} cannot be checked: the function's result there is not finite",
        )
    return first, analytic, note


def _base_values(function: SampledFunction, point: Point) -> list[object]:
    """Two results at the point itself, in one message where the function can map."""
    if callable(getattr(function.f, "map", None)):
        return list(function.raw(iter([point.x, point.x])))
    function.evaluations += 2
    return [_call_watched(function.f, point, "the function") for _ in range(2)]


def _call_watched(f: Function, point: Point, name: str) -> object:
    """Call with a copy, and see whether the copy came out changed."""
    argument = point.form(point.x)
    with np.errstate(all="ignore"):
        value = f(argument)
    if not point.plain and not np.array_equal(argument, point.x):
        raise _Refusal(
            CheckStatus.FAILED, f"{name} changes its argument in place: work on a copy instead"
        )
    return value


def _analytic(grad: Function, point: Point, name: str) -> tuple[Floats, str]:
    array = as_array(_call_watched(grad, point, name), name)
    given = array.shape
    try:
        analytic = reshape(array, point.x.shape, name)
    except ValueMismatch as mismatch:
        raise WrongShape(mismatch, array) from None
    bad = ~np.isfinite(analytic)
    if bad.any():
        index = first_index(bad)
        word = "NaN" if np.isnan(analytic[index]) else "infinite"
        raise _Refusal(CheckStatus.FAILED, f"{name}{format_index(index)} is {word}")
    note = "" if given == point.x.shape else f" (its shape is {given}, that of x {point.x.shape})"
    return analytic, note


def _require_fresh(grad: Function, point: Point, analytic: Floats, rules: _Rules) -> None:
    """Ask again after many other calls of f: a stale cache answers differently now."""
    again, _ = _analytic(grad, point, rules.name)
    gap = np.abs(again - analytic)
    if (gap > rules.tolerance * np.maximum(np.abs(again), np.abs(analytic))).any():
        raise _Refusal(
            CheckStatus.FAILED,
            f"{rules.name} differs between two calls with the same argument: "
            "it depends on earlier calls (a stored value that is not refreshed?)",
        )


def _refused(
    status: CheckStatus, message: str, function: SampledFunction, rules: _Rules
) -> GradientResult:
    unknown = np.full(function.point.x.shape, np.nan)
    return GradientResult(
        status=status,
        analytic=unknown,
        numeric=unknown.copy(),
        error_estimate=np.full(unknown.shape, np.inf),
        worst_index=None,
        evaluations=function.evaluations,
        relative_tolerance=rules.tolerance,
        message=message,
    )


@dataclass(frozen=True)
class _Judgement:
    """Per element, flat: which are wrong, which stay open."""

    failed: Bools
    undecided: Bools
    signal: float


def _judge(analytic: Floats, found: Estimate, tolerance: float) -> _Judgement:
    """Judge each element by its own error estimate; the flat arrays have equal length.

    An unresolved element is passed over only beside resolved ones that are
    1 / NEGLIGIBLE times larger than its error, or where the function does not
    respond to it at all and the gradient says 0.
    """
    half = np.abs(found.jump) / 2.0
    error = SAFETY * found.error
    with np.errstate(invalid="ignore"):
        scale = np.fmax(np.maximum(np.abs(analytic), half), np.abs(found.value))
        gap = np.abs(analytic - found.value) - half
        failed = np.isfinite(error) & (gap > error + tolerance * scale)
        resolved = ~failed & (scale > 0.0) & (error <= RESOLUTION * scale)
    signal = float(np.max(np.abs(found.value[resolved]) + half[resolved], initial=0.0))
    flat = found.quiet & (analytic == 0.0) & (found.value == 0.0) & np.isfinite(error)
    excused = (error <= NEGLIGIBLE * signal) | (flat & (signal > 0.0))
    return _Judgement(failed, ~failed & ~resolved & ~excused, signal)


@dataclass(frozen=True)
class _Case:
    """Both sides of a check, before the verdict."""

    analytic: Floats
    found: Estimate
    note: str
    rules: _Rules

    def index(self, flat: int) -> tuple[int, ...]:
        return unravel(flat, self.analytic.shape)


def _verdict(case: _Case, evaluations: int) -> GradientResult:
    flat, found, shape = case.analytic.reshape(-1), case.found, case.analytic.shape
    judgement = _judge(flat, found, case.rules.tolerance)
    errors = relative_errors(flat, found.value)
    if judgement.failed.any():
        status, doubt = CheckStatus.FAILED, np.where(judgement.failed, errors, -1.0)
    elif judgement.undecided.any() or judgement.signal == 0.0:
        status, doubt = CheckStatus.INCONCLUSIVE, np.where(judgement.undecided, found.error, -1.0)
    else:
        status, doubt = CheckStatus.PASSED, errors
    worst = int(np.argmax(doubt))
    return GradientResult(
        status=status,
        analytic=case.analytic,
        numeric=found.value.reshape(shape),
        error_estimate=found.error.reshape(shape),
        worst_index=case.index(worst),
        evaluations=evaluations,
        relative_tolerance=case.rules.tolerance,
        message=_message(status, case, judgement, worst),
    )


def _message(status: CheckStatus, case: _Case, judgement: _Judgement, worst: int) -> str:
    name, total = case.rules.name, _elements(case.analytic.size)
    if status is CheckStatus.PASSED:
        return f"{name} is right at {total}{case.note}"
    if status is CheckStatus.FAILED:
        return _failed_message(case, judgement, worst)
    if judgement.signal == 0.0 and not case.analytic.any():
        return f"{name} cannot be checked here: it is zero, and the function shows no slope either"
    index = format_index(case.index(worst))
    where = f"; most at {index}" if index else ""
    return (
        f"{name} cannot be decided at {int(judgement.undecided.sum())} of {total}: "
        f"the function is too rough or too flat there{where}{case.note}"
    )


def _failed_message(case: _Case, judgement: _Judgement, worst: int) -> str:
    index, rules = case.index(worst), case.rules
    analytic, numeric = case.analytic[index], case.found.value[worst]
    mine, theirs = format_pair(float(analytic), float(numeric))
    error = float(relative_errors(np.array(analytic), np.array(numeric)))
    facts = (
        f"yours {mine}, numeric {theirs} "
        f"(relative error {error:.2g}; tolerance {rules.tolerance:.2g}){case.note}"
    )
    if index == ():
        return f"{rules.name} is wrong: {facts}"
    wrong, total = int(judgement.failed.sum()), _elements(case.analytic.size)
    return f"{rules.name} is wrong at {wrong} of {total}; worst at {format_index(index)}: {facts}"


def _elements(number: int) -> str:
    return "1 element" if number == 1 else f"{number} elements"


def _judge_beside(
    f: Function, grad: Function, point: Point, rules: _Rules, at_kink: GradientResult
) -> GradientResult:
    """Judge at a point beside a kink.

    Several kinks in one point can leave the backward pass outside the one-sided
    derivatives although every layer's convention is right (relu(x) - relu(-x)
    at 0). Only a failure there is a mistake.
    """
    rng = np.random.default_rng(0)
    x = point.x
    away = rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    rms = float(np.linalg.norm(x)) / math.sqrt(x.size)
    moved = x + BESIDE * (rms or 1.0) * away
    result, _ = _check(f, grad, Point(float(moved) if point.plain else moved), rules)
    return at_kink if result.status is CheckStatus.FAILED else result


def _deliver(result: GradientResult, raises: bool) -> GradientResult:
    if raises and result.status is CheckStatus.INCONCLUSIVE:
        raise GradientInconclusive(result)
    if raises and result.status is not CheckStatus.PASSED:
        raise GradientCheckFailed(result)
    return result
