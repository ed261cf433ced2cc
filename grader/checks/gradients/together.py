"""Holds all elements of a gradient to their tolerance at once, where noise hides single ones.

Along a direction of all signs no errors of like sign cancel, and their sum
stands far above the noise of one element. Where one such direction is still too
noisy, the mean over many is not: rounding errors of different points are
unrelated, and the scatter of the directions tells how well their mean is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from grader.checks.gradients.calling import SampledFunction
from grader.checks.gradients.deciding import GOAL, SAFETY, Doubts, Together
from grader.checks.gradients.ladder import Estimate, Floats, Lanes, climb
from grader.checks.gradients.sampling import line_sampler
from grader.checks.gradients.stencil import STENCIL, WEIGHTS_6, WEIGHTS_8

Ints: TypeAlias = NDArray[np.int64]

REACH = 0.5
"""All elements move along a direction, so that its steps begin at half of an element's."""

FALSE_ALARMS = 1e-7
"""How often scatter alone may look like a mistake."""

HOPELESS = 0.1
"""A direction known less well than this has no slope to speak of."""

BATCH = 8
"""Directions that are added at a time."""

EFFORT, MAX_EFFORT, USUAL_TOLERANCE = 10, 2000, 1e-7
"""Evaluations an element for the mean, in proportion to how much closer than
usually the gradient is to be held; and how many in all."""

RESPONSE = 64.0
"""Rounding errors are unrelated where the values change by this many of them."""

SINGLE_SUM = 1e-4
"""In float32 code the tolerance of the sum, in which rounding errors cancel."""

_EPS = float(np.finfo(np.float64).eps)
_STEPS = np.array([4.0, 3.0, 2.0, 1.0])
_EIGHT, _SIX = WEIGHTS_8[::-1], WEIGHTS_6[::-1]
# T_22 of Romberg's table, from steps as 1 : 2 : 4.
_ROMBERG = np.array([1.0 / 360.0, 0.0, -20.0 / 180.0, 64.0 / 90.0])


@dataclass(frozen=True)
class _Mean:
    """The relative gap between claims and derivatives over many directions, and its error.

    `scatter` is the part of the error that more directions make smaller.
    """

    gap: float
    scatter: float
    truncation: float

    @property
    def error(self) -> float:
        return self.scatter + self.truncation


def decide_together(
    function: SampledFunction,
    centre: Floats,
    analytic: Floats,
    tolerance: float,
    doubts: Doubts,
) -> Together | None:
    """Whether the claims are wrong in their sum; None where nothing proves that.

    `centre` and `analytic` are flat. In float32 code `tolerance` is to be SINGLE_SUM.
    """
    trial = _Trial(function, centre, analytic)
    found = trial.first(tolerance)
    claim, value, error = trial.claims(0), float(found.value[0]), float(found.error[0])
    if found.jump[0] != 0.0 or not error <= HOPELESS * claim:
        return None
    if SAFETY * error + abs(claim - value) <= tolerance * claim:
        return None
    suspicious = abs(claim - value) > SAFETY * error + tolerance * claim
    mean = trial.average(float(found.step[0]), tolerance, must=suspicious)
    if mean is None or abs(mean.gap) <= mean.error + tolerance:
        return None
    numeric = claim * (1.0 - mean.gap)
    if abs(claim - numeric) <= rounding_along(trial.lines[0], doubts):
        return None
    return Together(claim, numeric)


def rounding_along(line: Floats, doubts: Doubts) -> float:
    """What the rounding errors of all elements may add up to along a direction."""
    return float(np.sum(np.abs(line) * np.maximum(doubts.rounding(), doubts.lost)))


class _Trial:
    """One gradient and its directions, each element of which moves in its own unit."""

    def __init__(self, function: SampledFunction, centre: Floats, analytic: Floats) -> None:
        self.function, self.centre, self.analytic = function, centre, analytic
        x = function.point.x.reshape(-1)
        self.unit = Lanes.along_axes(x).scale * np.sign(analytic)
        self.rng = np.random.default_rng(x.size)
        self.lines: list[Floats] = []
        self._add(1)

    def _add(self, count: int) -> None:
        for _ in range(count):
            self.lines.append(self.unit * self.rng.uniform(0.5, 1.5, self.unit.size))

    def claims(self, which: int) -> float:
        """What the gradient says of a direction; the sum of magnitudes."""
        return math.fsum((self.lines[which] * self.analytic).tolist())

    def first(self, tolerance: float) -> Estimate:
        """The derivative along the first direction, with the step that suits it."""
        sampler = line_sampler(self.function, self.centre, self.lines)
        lanes = Lanes(np.zeros(1), np.full(1, REACH))
        return climb(STENCIL, sampler, lanes, np.full(1, GOAL * tolerance), shared_noise=False)

    def average(self, step: float, tolerance: float, *, must: bool) -> _Mean | None:
        """The mean over as many directions as it takes, and as may be paid for.

        None where not one batch may be, unless it `must`.
        """
        effort = EFFORT * self.unit.size * max(1.0, USUAL_TOLERANCE / tolerance)
        affordable = int(min(effort, MAX_EFFORT) / (2 * BATCH * len(_STEPS)))
        best: _Mean | None = None
        gaps: list[Floats] = []
        for _ in range(max(affordable, int(must))):
            gaps.append(self._gaps(step, BATCH))
            mean = self._read(np.hstack(gaps))
            if mean is None:
                return best
            if best is None or mean.error < best.error:
                best = mean
            if mean.error <= tolerance or abs(mean.gap) > 2.0 * (mean.error + tolerance):
                break
            if mean.truncation > mean.scatter:
                step, gaps = step / 2.0, []
        return best

    def _gaps(self, step: float, count: int) -> Floats:
        """Relative gaps of order 8, 6 and Romberg's, and the least scatter; (4, count)."""
        first = len(self.lines)
        self._add(count)
        sampler = line_sampler(self.function, self.centre, self.lines)
        steps = np.tile(step * _STEPS, (count, 1))
        with np.errstate(all="ignore"):
            pairs = sampler(np.arange(first, first + count), steps)
        claims = np.array([self.claims(first + i) for i in range(count)])
        orders = [1.0 - pairs.odd @ weights / step / claims for weights in (_EIGHT, _SIX, _ROMBERG)]
        least = 0.5 * _EPS * pairs.size[:, 0] / (step * claims)
        # Values that hardly change all round alike, and their mean is no better than one.
        deaf = np.abs(pairs.odd[:, 0]) < RESPONSE * _EPS * pairs.size[:, 0]
        return np.vstack([*orders, np.where(deaf, np.inf, least)])

    def _read(self, gaps: Floats) -> _Mean | None:
        """The mean of order 8; how far the other orders' means lie from it is its truncation."""
        eight, six, romberg, least = gaps
        if not np.isfinite(gaps).all():
            return None
        count = len(eight)
        spread = max(float(np.std(eight, ddof=1)), float(np.max(least)))
        scatter = stdtrit(count - 1, 1.0 - FALSE_ALARMS) * spread / math.sqrt(count)
        mean = float(np.mean(eight))
        truncation = max(abs(float(np.mean(other)) - mean) for other in (six, romberg))
        return _Mean(mean, float(scatter), truncation)
