"""Accepts first: a right gradient shows itself in a few differences.

Agreement with a given number to a tolerance needs no error estimate: an
extrapolation that is wrong does not meet the gradient by chance, less so when
the readings before it close in on the same number. What does not agree is
decided elsewhere; nothing is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.ladder import PLUNGE, Ints, Lanes, Pairs, Sampler

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

ATTEMPTS = ((-4, 3), (-13, 2), (-22, 2))
"""Exponents off the scale, and halvings: smooth functions, rough ones, borders of a domain."""

CLOSING_IN = (1.0, 1e3, 1e5)
"""Tolerances of the last extrapolation, the one before, and the plain difference."""

TOO_NOISY = 8.0
"""Rounding errors so many times the slack agree with nothing."""

LADDER_START = -2
"""Where a ladder begins if nothing is known, in exponents off the scale."""

DEEP = 26
"""Nothing was finite at any attempt: how many exponents lower a ladder begins."""

BENT, HEARD, STEADY = 1e-2, 1e3, 0.5
"""A kink at the smallest steps: its part of the slope, how far above rounding
errors, and by how much of itself it changes when the step falls to 1/512. A
smooth function keeps 1/512 of it, and rounding errors grow."""

LEAST_FLAT = -13
"""The smallest steps at which no change means a flat side of a kink; a float32
rounds smaller ones away."""

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Accepted:
    """What agreed: `value` and `error` are NaN elsewhere.

    `flat` lanes did not respond to any step at all, and their gradient is 0.
    `lower` says by how many exponents a ladder should begin below its usual
    start: larger steps leave the domain, or see a kink.
    """

    agreed: Bools
    flat: Bools
    value: Floats
    error: Floats
    lower: Ints


def accept_first(sample: Sampler, lanes: Lanes, analytic: Floats, slack: Floats) -> Accepted:
    """Compare each lane's difference quotients with `analytic` to the absolute tolerance `slack`.

    A lane whose slack is 0 is never accepted.
    """
    trial = _Trial(sample, lanes, analytic, slack)
    for offset, levels in ATTEMPTS:
        trial.attempt(offset, levels)
    return Accepted(
        np.isfinite(trial.value), trial.flat, trial.value, trial.error, trial.ladder_start()
    )


class _Trial:
    """Lanes on their way through the attempts."""

    def __init__(self, sample: Sampler, lanes: Lanes, analytic: Floats, slack: Floats) -> None:
        count = len(analytic)
        self.sample, self.analytic, self.slack = sample, analytic, slack
        self.exponents = lanes.exponents().astype(np.float64)
        self.value, self.error = np.full(count, np.nan), np.full(count, np.nan)
        self.flat, self.bent = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        self.size, self.jump = np.zeros(count), np.zeros(count)
        self.heard = np.zeros(count, dtype=np.bool_)
        self.first_finite = np.full(count, -DEEP + LADDER_START, dtype=np.int64)
        self.waiting = np.arange(count)

    def attempt(self, offset: int, levels: int) -> None:
        """Steps of one size; the lanes that agree leave."""
        finest = np.exp2(self.exponents + offset - levels + 1)
        hopeful = self.size * _EPS <= TOO_NOISY * 2.0 * finest * self.slack
        hopeful |= (self.analytic == 0.0) & (offset >= LEAST_FLAT)
        open_lanes = self.waiting[hopeful[self.waiting]]
        for level in range(1, levels):
            if not len(open_lanes):
                break
            steps = np.exp2(self.exponents[open_lanes, None] + offset - np.arange(level + 1))
            readings, pairs = extrapolate(self.sample, open_lanes, steps)
            if level == 1 and offset >= LEAST_FLAT:
                # Smaller steps are silent wherever the change is rounded away.
                known = self.heard[open_lanes] | (offset == ATTEMPTS[0][0])
                nothing = silent(pairs) & (self.analytic[open_lanes] == 0.0)
                self.flat[open_lanes] = nothing & known
            close = _closes_in(readings, self.analytic[open_lanes], self.slack[open_lanes])
            self.value[open_lanes[close]] = readings[0][close]
            self.error[open_lanes[close]] = np.abs(readings[0] - readings[1])[close]
            finite = np.isfinite(readings[0])
            self._note(open_lanes[finite], pairs, finite, steps, offset)
            open_lanes = open_lanes[~close & ~self.flat[open_lanes] & finite]
        self.waiting = self.waiting[np.isnan(self.value[self.waiting]) & ~self.flat[self.waiting]]

    def _note(self, lanes: Ints, pairs: Pairs, finite: Bools, steps: Floats, offset: int) -> None:
        """Remember where a lane became finite, how large its values are, and how it bends."""
        self.first_finite[lanes] = np.maximum(self.first_finite[lanes], offset)
        self.size[lanes] = np.max(pairs.size[finite], axis=1)
        odd, even = np.abs(pairs.odd[finite, 0]), np.abs(pairs.even[finite, 0])
        jump, before = even / steps[finite, 0], self.jump[lanes]
        loud = HEARD * _EPS * self.size[lanes]
        # Shrunk to the next attempt's steps, such a change would still show.
        self.heard[lanes] = odd > loud * 2.0**-LEAST_FLAT
        heard = (even > BENT * odd) & (even > loud)
        steady = np.abs(jump - before) <= STEADY * before
        self.bent[lanes] = heard & steady & (offset == ATTEMPTS[-1][0])
        self.jump[lanes] = jump

    def ladder_start(self) -> Ints:
        """How far below its usual start a ladder should begin in each lane."""
        bordered = np.where(self.first_finite < ATTEMPTS[0][0], LADDER_START - self.first_finite, 0)
        lower: Ints = np.where(self.bent, np.maximum(bordered, PLUNGE), bordered)
        return lower


def extrapolate(sample: Sampler, lanes: Ints, steps: Floats) -> tuple[list[Floats], Pairs]:
    """The last row of Romberg's table, best reading first, and what it was made of."""
    with np.errstate(all="ignore"):
        pairs = sample(lanes, steps)
        row = [pairs.odd[:, 0] / (2.0 * steps[:, 0])]
        for level in range(1, steps.shape[1]):
            following = [pairs.odd[:, level] / (2.0 * steps[:, level])]
            for k, coarser in enumerate(row, start=1):
                finer = following[-1]
                following.append(finer + (finer - coarser) / (4.0**k - 1.0))
            row = following
    return row[::-1], pairs


def silent(pairs: Pairs) -> Bools:
    """Which lanes did not respond to any of the steps."""
    quiet: Bools = np.all((pairs.odd == 0.0) & (pairs.even == 0.0), axis=1)
    return quiet


def _closes_in(readings: list[Floats], analytic: Floats, slack: Floats) -> Bools:
    close = slack > 0.0
    with np.errstate(invalid="ignore"):
        for reading, factor in zip(readings, CLOSING_IN, strict=False):
            close &= np.abs(reading - analytic) <= factor * slack
    return close
