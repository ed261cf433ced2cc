"""Puts what was decided into a result and a sentence for the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.closeness import format_index, format_pair
from grader.checks.diagnosis.naming import DiagnosisContext
from grader.checks.gradients.calling import SampledFunction
from grader.checks.gradients.deciding import Decision
from grader.checks.gradients.guards import Guarded
from grader.checks.gradients.ladder import Estimate
from grader.checks.gradients.many import Examined
from grader.checks.gradients.results import GradientResult, relative_errors, unravel
from grader.records import CheckStatus

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """What a check was asked to do."""

    name: str
    tolerance: float
    upstream: Floats | None
    elementwise: bool
    context: DiagnosisContext | None = None


@dataclass(frozen=True)
class _Case:
    """One gradient with all that is known about its elements, flat; NaN where nothing is."""

    guarded: Guarded
    decision: Decision
    rules: Rules
    examined: int

    @property
    def analytic(self) -> Floats:
        return self.guarded.analytic.reshape(-1)

    @property
    def numeric(self) -> Floats:
        return self.decision.found.value

    @property
    def notes(self) -> str:
        """What the reader should know besides the verdict."""
        notes = list(self.guarded.notes)
        if self.decision.single:
            notes.append(
                "computed in float32, so that errors below "
                f"{self.decision.tolerance:.1g} cannot be told"
            )
        return f" ({'; '.join(notes)})" if notes else ""

    def index(self, flat: int) -> tuple[int, ...]:
        return unravel(flat, self.guarded.analytic.shape)


def refused(
    status: CheckStatus, message: str, function: SampledFunction, rules: Rules
) -> GradientResult:
    """The result of a check that came to no numbers."""
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
        resolution=np.full(unknown.shape, np.inf),
    )


def verdict(guarded: Guarded, decision: Decision, rules: Rules) -> GradientResult:
    """The verdict where every element was decided on by itself."""
    case = _Case(guarded, decision, rules, guarded.analytic.size)
    return _result(case, _status(decision, guarded), "")


def verdict_on_many(guarded: Guarded, found: Examined, rules: Rules) -> GradientResult:
    """The verdict where directions stand for most elements."""
    case = _Case(guarded, _scatter(found, guarded.analytic.size), rules, len(found.chosen))
    status = _status(case.decision, guarded)
    open_directions = bool(found.directions.undecided.any()) or found.directions.signal == 0.0
    if status is not CheckStatus.FAILED:
        # A direction holds the elements, too, that are too small to tell by themselves.
        status = CheckStatus.INCONCLUSIVE if open_directions else CheckStatus.PASSED
    known = float(np.max(found.directions.resolution))
    how = (
        f" in {len(found.chosen)} looked at by themselves, and to {known:.1g} of its norm"
        f" in {len(found.directions.failed)} directions through all of them"
    )
    return _result(case, status, how)


def _scatter(found: Examined, size: int) -> Decision:
    """The elements' decision, with nothing known of those that were not looked at."""
    nothing = np.zeros(size)
    unknown = Estimate(
        value=np.full(size, np.nan),
        error=np.full(size, np.inf),
        jump=nothing,
        quiet=nothing != 0.0,
        floor=nothing,
        step=np.full(size, np.nan),
    )
    never, resolution = np.zeros(size, dtype=np.bool_), found.spread.copy()
    resolution[found.chosen] = found.elements.resolution
    return Decision(
        found=unknown.put(found.chosen, found.elements.found),
        failed=_place(never, found.chosen, found.elements.failed),
        undecided=_place(never, found.chosen, found.elements.undecided),
        resolution=resolution,
        passed_over=_place(never, found.chosen, found.elements.passed_over),
        signal=max(found.elements.signal, found.directions.signal),
        tolerance=found.elements.tolerance,
        single=found.elements.single,
        together=found.directions.together,
    )


def _place(whole: Bools, where: NDArray[np.int64], part: Bools) -> Bools:
    placed = whole.copy()
    placed[where] = part
    return placed


def _status(decision: Decision, guarded: Guarded) -> CheckStatus:
    """A function that only its random numbers move proves nothing, right or wrong."""
    if guarded.random and not np.abs(decision.found.value).any():
        return CheckStatus.INCONCLUSIVE
    if decision.failed.any() or decision.together:
        return CheckStatus.FAILED
    if decision.undecided.any() or decision.signal == 0.0:
        return CheckStatus.INCONCLUSIVE
    return CheckStatus.PASSED


def _result(case: _Case, status: CheckStatus, how: str) -> GradientResult:
    decision, shape = case.decision, case.guarded.analytic.shape
    worst = _worst(case, status)
    return GradientResult(
        status=status,
        analytic=case.guarded.analytic,
        numeric=decision.found.value.reshape(shape),
        error_estimate=decision.found.error.reshape(shape),
        worst_index=case.index(worst),
        evaluations=case.guarded.function.evaluations,
        relative_tolerance=decision.tolerance,
        message=_message(case, status, worst, how),
        resolution=decision.resolution.reshape(shape),
    )


def _worst(case: _Case, status: CheckStatus) -> int:
    """The element that decided the verdict."""
    errors = relative_errors(case.analytic, case.numeric)
    if status is CheckStatus.FAILED and case.decision.failed.any():
        return int(np.argmax(np.where(case.decision.failed, errors, -1.0)))
    if status is CheckStatus.INCONCLUSIVE:
        doubt = np.where(case.decision.undecided, case.decision.found.error, -1.0)
        return int(np.argmax(doubt))
    return int(np.argmax(errors))


def _message(case: _Case, status: CheckStatus, worst: int, how: str) -> str:
    if status is CheckStatus.PASSED:
        return _passed_message(case, how)
    if status is CheckStatus.FAILED:
        failed = case.decision.failed.any()
        return _failed_message(case, worst) if failed else _together_message(case)
    return _undecided_message(case, worst)


def _passed_message(case: _Case, how: str) -> str:
    decision, total = case.decision, _elements(case.analytic.size)
    looked_at = ~np.isnan(case.numeric) & np.isfinite(decision.resolution)
    known = decision.resolution[looked_at]
    to = f"to a relative error of {float(np.max(known, initial=0.0)):.1g}{how}"
    over = int(decision.passed_over.sum())
    small = f", but for {over} too small to tell" if over else ""
    return f"{case.rules.name} is right at {total} {to}{small}{case.notes}"


def _undecided_message(case: _Case, worst: int) -> str:
    name, decision = case.rules.name, case.decision
    if case.guarded.random and not np.abs(decision.found.value).any():
        return f"{name} cannot be checked: only random numbers move the function's result"
    if decision.signal == 0.0 and not case.analytic.any():
        return f"{name} cannot be checked here: it is zero, and the function shows no slope either"
    index = format_index(case.index(worst))
    where = f" at {index}" if index else ""
    count = int(decision.undecided.sum())
    which = f"{count} of {_elements(case.analytic.size)}" if count else "directions through it"
    return f"{name} cannot be decided at {which}: {_reason(case, worst)}{where}{case.notes}"


def _reason(case: _Case, worst: int) -> str:
    found, trouble = case.decision.found, case.guarded.function.trouble
    error, value = float(found.error[worst]), float(found.value[worst])
    if not np.isfinite(error):
        raised = f" (it raised {trouble})" if trouble else ""
        return f"the function is not finite close to the point{raised}, most"
    if found.jump[worst] != 0.0:
        return "the function has a kink there, most"
    if found.floor[worst] >= 0.5 * error:
        return f"the function is too noisy or too flat (slope {value:.2g} +- {4 * error:.1g}), most"
    return f"the function is too rough (slope {value:.2g} +- {4 * error:.1g}), most"


def _together_message(case: _Case) -> str:
    """No single element is known well enough to be named, but their sum is."""
    together = case.decision.together
    assert together is not None
    return (
        f"{case.rules.name} is wrong in the sum over {_elements(case.analytic.size)}: "
        f"{_facts(case, together.analytic, together.numeric)}"
    )


def _facts(case: _Case, analytic: float, numeric: float) -> str:
    mine, theirs = format_pair(analytic, numeric)
    error = float(relative_errors(np.array(analytic), np.array(numeric)))
    return (
        f"yours {mine}, numeric {theirs} "
        f"(relative error {error:.2g}; tolerance {case.decision.tolerance:.2g}){case.notes}"
    )


def _failed_message(case: _Case, worst: int) -> str:
    index, name = case.index(worst), case.rules.name
    facts = _facts(case, float(case.analytic[worst]), float(case.numeric[worst]))
    if index == ():
        return f"{name} is wrong: {facts}"
    wrong, size = int(case.decision.failed.sum()), case.analytic.size
    total = _elements(size) if case.examined == size else f"{case.examined} elements looked at"
    return f"{name} is wrong at {wrong} of {total}; worst at {format_index(index)}: {facts}"


def _elements(number: int) -> str:
    return "1 element" if number == 1 else f"{number} elements"
