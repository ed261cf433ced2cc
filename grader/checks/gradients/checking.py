"""Gradient checks: a student's gradient against finite differences of their own function.

Here the functions are called, guarded and judged; `deciding` says of each
element, and `many` of large arrays, what the differences prove. A pass is given
only for what was resolved: what the numbers cannot decide is `inconclusive`,
and no absolute tolerance turns that into a pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.closeness import ValueMismatch
from grader.checks.diagnosis.naming import DiagnosisContext
from grader.checks.gradients.calling import (
    Function,
    Point,
    SampledFunction,
    is_students,
    read_upstream,
)
from grader.checks.gradients.deciding import Claims, Decision, Doubts, decide
from grader.checks.gradients.differentiating import differentiate
from grader.checks.gradients.doubts import is_single, lost_to_rounding, rounding_errors
from grader.checks.gradients.explaining import explained, explained_shape
from grader.checks.gradients.guards import (
    Guarded,
    Refusal,
    WrongShape,
    draws_after_all,
    find_stale,
    guard,
)
from grader.checks.gradients.ladder import Lanes, root_mean_square
from grader.checks.gradients.many import MANY, Examined, examine
from grader.checks.gradients.results import (
    GradientCheckFailed,
    GradientInconclusive,
    GradientResult,
    NumericGradient,
)
from grader.checks.gradients.sampling import elementwise_sampler, line_sampler
from grader.checks.gradients.together import decide_together
from grader.checks.gradients.verdict import Rules, refused, verdict, verdict_on_many
from grader.records import CheckStatus

Floats: TypeAlias = NDArray[np.float64]

RELATIVE_TOLERANCE = 1e-7
"""Ten times above the ladders' error in bad regimes, far below a dropped weight decay."""

USUAL_STEP = -8
"""The exponent, off the scale, of a step that serves where nothing hinders larger ones."""

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
    centre = function.read(function.at([point.x])[0])
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
    beside it. Of more than 1000 elements only a few are differentiated by
    themselves, the others along directions. `context` helps to name the bug
    behind a wrong gradient. Raises `GradientCheckFailed` or
    `GradientInconclusive`, unless `raises` is false; what f or grad raise at
    the point passes through.
    """
    rules = Rules(name, relative_tolerance, read_upstream(upstream), False, context)
    point = Point(at)
    result, kinked = _check(f, grad, point, rules, last=False)
    if kinked and result.status is not CheckStatus.PASSED:
        result = _judge_beside(f, grad, point, rules, result)
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

    All elements are differentiated at once, in about 60 calls at most. Raises
    as `check_gradient` does; at a kink only values between the one-sided
    derivatives are right.
    """
    rules = Rules(name, relative_tolerance, None, True, context)
    result, _ = _check(f, df, Point(at), rules, last=True)
    return _deliver(result, raises)


def _check(
    f: Function, grad: Function, point: Point, rules: Rules, *, last: bool
) -> tuple[GradientResult, bool]:
    """Judge at one point; also say whether another point beside it may tell more.

    That is so at a kink, and where one may be too near to tell it from noise.
    Where no other point follows, this is the `last`, and no cost is spared.
    """
    function = SampledFunction(f, point, rules.upstream, elementwise=rules.elementwise)
    try:
        guarded = guard(function, grad, rules.name, random=False)
        result, kinked = _judge(guarded, rules, last)
        suspect = result.status is not CheckStatus.PASSED and not guarded.random
        if suspect and draws_after_all(guarded):
            result, kinked = _judge(guard(function, grad, rules.name, random=True), rules, last)
    except Refusal as refusal:
        return refused(refusal.status, refusal.message, function, rules), False
    except WrongShape as wrong:
        result = refused(CheckStatus.FAILED, str(wrong), function, rules)
        return explained_shape(result, wrong, function, rules.context), False
    except ValueMismatch as mismatch:
        return refused(CheckStatus.FAILED, str(mismatch), function, rules), False
    result = replace(result, evaluations=function.evaluations)
    if result.worst_index is None:
        return result, False
    return explained(result, function, rules.context), kinked


def _judge(guarded: Guarded, rules: Rules, last: bool) -> tuple[GradientResult, bool]:
    """The verdict behind the guards, the last of which is the gradient's freshness."""
    if guarded.function.point.x.size > MANY and not rules.elementwise:
        result, kinked = verdict_on_many(guarded, _examine(guarded, rules), rules), False
    else:
        decision = _decide(guarded, rules, last)
        result, kinked = verdict(guarded, decision, rules), _may_be_kinked(decision)
    stale = find_stale(guarded, rules.name, result.relative_tolerance)
    return (refused(*stale, guarded.function, rules), False) if stale else (result, kinked)


def _may_be_kinked(decision: Decision) -> bool:
    """Whether kinks may be behind all that did not pass."""
    if decision.failed.any():
        return bool((decision.found.jump[decision.failed] != 0.0).all())
    known = decision.undecided & np.isfinite(decision.found.error)
    return decision.signal > 0.0 and bool(known.any())


def _decide(guarded: Guarded, rules: Rules, last: bool) -> Decision:
    """Decide on every element, and on all together where single ones are not known well enough."""
    function, x = guarded.function, guarded.function.point.x.reshape(-1)
    if rules.elementwise:
        sampler = elementwise_sampler(function, guarded.centre)
    else:
        sampler = line_sampler(function, guarded.centre, range(x.size))
    claims = Claims.of_elements(guarded.analytic.reshape(-1), rules.tolerance)
    lanes, shared = Lanes.along_axes(x), not rules.elementwise
    doubts = _doubts(guarded)
    found = decide(sampler, lanes, claims, doubts, shared_noise=shared, thorough=last)
    known = found.failed.any() or (found.resolution <= rules.tolerance).all()
    if rules.elementwise or known or not claims.analytic.any():
        return found
    if not last and found.undecided.any() and _may_be_kinked(found):
        return found
    if not _noisy(found, rules.tolerance):
        return found
    sum_found = decide_together(
        function,
        guarded.centre,
        claims.analytic,
        rules.tolerance,
        doubts,
        single=found.single,
        lower=_below_the_usual(found.found.step / lanes.scale),
    )
    return replace(found, together=sum_found)


def _below_the_usual(steps: Floats) -> int:
    """By how many exponents the smallest of the steps that served lies below a usual one."""
    served = steps[np.isfinite(steps)]
    return max(0, USUAL_STEP - int(np.log2(served.min()))) if served.size else 0


def _noisy(found: Decision, tolerance: float) -> bool:
    """Whether it is noise that keeps an element from being certified, and no kink."""
    open_lanes = ~(found.resolution <= tolerance)
    return bool((open_lanes & (found.found.floor >= 0.5 * found.found.error)).any())


def _examine(guarded: Guarded, rules: Rules) -> Examined:
    """Decide on directions and a few elements."""
    flat = guarded.analytic.reshape(-1)
    return examine(guarded.function, guarded.centre, flat, rules.tolerance, _doubts(guarded))


def _doubts(guarded: Guarded) -> Doubts:
    function, grad = guarded.function, guarded.grad
    return Doubts(
        single=lambda: is_single(function, grad),
        rounding=lambda: rounding_errors(grad, function.point),
        lost=lost_to_rounding(function.point, guarded.centre),
    )


def _judge_beside(
    f: Function, grad: Function, point: Point, rules: Rules, at_kink: GradientResult
) -> GradientResult:
    """Judge at a point beside a kink.

    Several kinks in one point can leave the backward pass outside the one-sided
    derivatives although every layer's convention is right (relu(x) - relu(-x)
    at 0). What fails at the kink is a mistake only if it fails beside it too.
    """
    rng = np.random.default_rng(0)
    x = point.x
    away = rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    moved = x + BESIDE * (root_mean_square(x) or 1.0) * away
    try:
        result, _ = _check(f, grad, point.moved_to(moved), rules, last=True)
    except Exception as error:
        if not is_students(error):
            raise
        return at_kink
    spent = at_kink.evaluations + result.evaluations
    if result.status is at_kink.status:
        return replace(at_kink, evaluations=spent)
    message = f"{result.message}; looked at beside the point, which lies on a kink or close to one"
    return replace(result, evaluations=spent, message=message)


def _deliver(result: GradientResult, raises: bool) -> GradientResult:
    if raises and result.status is CheckStatus.INCONCLUSIVE:
        raise GradientInconclusive(result)
    if raises and result.status is not CheckStatus.PASSED:
        raise GradientCheckFailed(result)
    return result
