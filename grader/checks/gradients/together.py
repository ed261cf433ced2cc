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
from grader.checks.gradients.probes import KINK_DECAY
from grader.checks.gradients.sampling import line_sampler
from grader.checks.gradients.stencil import STENCIL, WEIGHTS_6, WEIGHTS_8

Ints: TypeAlias = NDArray[np.int64]

REACH = 0.5
"""All elements move along a direction, so that its steps begin at half of an element's."""

FALSE_ALARMS = 1e-6
"""How often scatter alone may look like a mistake."""

HOPELESS = 0.1
"""A direction known less well than this has no slope to speak of."""

BATCH = 8
"""Directions that are added at a time."""

EFFORT, MAX_EFFORT, USUAL_TOLERANCE = 10, 12000, 1e-7
"""Evaluations an element for the mean; a mean ten times closer takes a hundred
times as many. And how many in all."""

RESPONSE = 64.0
"""Rounding errors are unrelated where the values change by this many of them."""

SINGLE_SUM = 1e-4
"""In float32 code the tolerance of the sum, in which rounding errors cancel."""

FAR = 0.02
"""The part of the distance between orders 4 and 6 that order 8 misses, should
those of 6 and 8 agree by chance."""

AUDIBLE = 2.0
"""Standard errors of the mean jump of the slope, above which it may be a kink."""

_EPS = float(np.finfo(np.float64).eps)
_STEPS = np.array([4.0, 3.0, 2.0, 1.0])
# Order 4 on the same points, and T_22 of Romberg's table from steps as 1 : 2 : 4.
_ORDERS = np.stack(
    [
        WEIGHTS_8[::-1],
        WEIGHTS_6[::-1],
        np.array([0.0, 0.0, -1.0 / 12.0, 2.0 / 3.0]),
        np.array([1.0 / 360.0, 0.0, -1.0 / 9.0, 32.0 / 45.0]),
    ]
)


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


_NO_MEAN = _Mean(0.0, 0.0, math.inf)


def decide_together(
    function: SampledFunction,
    centre: Floats,
    analytic: Floats,
    tolerance: float,
    doubts: Doubts,
    *,
    single: bool,
    lower: int = 0,
) -> Together | None:
    """Whether the claims are wrong in their sum; None where nothing proves that.

    `centre` and `analytic` are flat. Of `single` precision, rounding errors are
    related as far as the steps reach, so that the ladder alone must see the gap.
    The ladder begins `lower` exponents below its usual start.
    """
    tolerance = max(tolerance, SINGLE_SUM) if single else tolerance
    trial = _Trial(function, centre, analytic)
    found = trial.first(tolerance, lower)
    claim, value, error = trial.claims(0), float(found.value[0]), float(found.error[0])
    if found.jump[0] != 0.0 or not error <= HOPELESS * claim:
        return None
    if SAFETY * error + abs(claim - value) <= tolerance * claim:
        return None
    suspicious = abs(claim - value) > SAFETY * error + tolerance * claim
    if single and not suspicious:
        return None
    mean = trial.average(float(found.step[0]), tolerance, must=suspicious)
    if abs(mean.gap) <= mean.error + tolerance:
        return None
    numeric = claim * (1.0 - mean.gap)
    # A rejection needs both: the ladder and the mean.
    if abs(numeric - value) > SAFETY * error + mean.error * claim:
        return None
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

    def first(self, tolerance: float, lower: int) -> Estimate:
        """The derivative along the first direction, with the step that suits it."""
        sampler = line_sampler(self.function, self.centre, self.lines)
        lanes = Lanes(np.zeros(1), np.full(1, REACH))
        wanted = np.full(1, GOAL * tolerance)
        return climb(STENCIL, sampler, lanes, wanted, shared_noise=False, lower=lower)

    def average(self, step: float, tolerance: float, *, must: bool) -> _Mean:
        """The mean over as many directions as it takes, and as may be paid for.

        Of infinite error where not one batch may be, unless it `must`.
        """
        effort = EFFORT * self.unit.size * max(1.0, USUAL_TOLERANCE / tolerance) ** 2
        affordable = int(min(effort, MAX_EFFORT) / (2 * BATCH * len(_STEPS)))
        best, batches = _NO_MEAN, list[_Batch]()
        for _ in range(max(affordable, int(must))):
            batches.append(self._measure(step))
            mean = _read(batches)
            best = min(best, mean, key=lambda found: found.error)
            if mean.error <= tolerance or abs(mean.gap) > 2.0 * (mean.error + tolerance):
                break
            if mean.truncation > mean.scatter:
                step, batches = step / 2.0, []
        return best

    def _measure(self, step: float) -> _Batch:
        first = len(self.lines)
        self._add(BATCH)
        sampler = line_sampler(self.function, self.centre, self.lines)
        with np.errstate(all="ignore"):
            steps = np.tile(step * _STEPS, (BATCH, 1))
            pairs = sampler(np.arange(first, first + BATCH), steps)
            claims = np.array([self.claims(first + i) for i in range(BATCH)])
            gaps = 1.0 - pairs.odd @ _ORDERS.T / (step * claims[:, None])
            four, two, one = (pairs.even[:, [0, 2, 3]] / (steps * claims[:, None])[:, [0, 2, 3]]).T
        # Values that hardly change all round alike, and their mean is no better than one.
        deaf = np.abs(pairs.odd[:, 0]) < RESPONSE * _EPS * pairs.size[:, 0]
        least = np.where(deaf, np.inf, 0.5 * _EPS * pairs.size[:, 0] / (step * claims))
        return _Batch(gaps, np.stack([2.0 * one - two, 2.0 * two - four], axis=1), least)


@dataclass(frozen=True)
class _Batch:
    """Some directions at one step, all relative to their claims.

    `gaps` (directions, orders) are those of `_ORDERS`; `bends` (directions, 2)
    the jump of the slope that the finer and the coarser three steps see; `least`
    (directions,) is the scatter that rounding makes at least.
    """

    gaps: Floats
    bends: Floats
    least: Floats


def _read(batches: list[_Batch]) -> _Mean:
    """The mean of order 8, and what it may miss."""
    gaps, bends, least = (
        np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("gaps", "bends", "least")
    )
    if not (np.isfinite(gaps).all() and np.isfinite(bends).all() and np.isfinite(least).all()):
        return _NO_MEAN
    eight, six, four, romberg = np.mean(gaps, axis=0)
    factor = float(stdtrit(len(gaps) - 1, 1.0 - FALSE_ALARMS)) / math.sqrt(len(gaps))
    scatter = factor * max(float(np.std(gaps[:, 0], ddof=1)), float(np.max(least)))
    truncation = max(abs(eight - six), abs(eight - romberg), FAR * abs(six - four))
    return _Mean(float(eight), scatter, float(truncation) + _kink(bends))


def _kink(bends: Floats) -> float:
    """What a jump of the slope within reach may falsify; 0 where there is none to be seen."""
    here, above = np.abs(np.mean(bends, axis=0))
    heard = here > AUDIBLE * float(np.std(bends[:, 0], ddof=1)) / math.sqrt(len(bends))
    return float(here) / 2.0 if heard and here > KINK_DECAY * above else 0.0
