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

from grader.checks.gradients.ladder import Ints, Lanes, Sampler

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

ATTEMPTS = ((-4, 3), (-13, 2), (-22, 2))
"""Exponents off the scale, and halvings: smooth functions, rough ones, borders of a domain."""

CLOSING_IN = (1.0, 1e3, 1e5)
"""Tolerances of the last extrapolation, the one before, and the plain difference."""


@dataclass(frozen=True)
class Accepted:
    """What agreed: `value` and `error` are NaN elsewhere.

    `flat` lanes did not respond to any step at all, and their gradient is 0.
    """

    agreed: Bools
    flat: Bools
    value: Floats
    error: Floats


def accept_first(sample: Sampler, lanes: Lanes, analytic: Floats, slack: Floats) -> Accepted:
    """Compare each lane's difference quotients with `analytic` to the absolute tolerance `slack`.

    A lane whose slack is 0 is never accepted.
    """
    count = len(analytic)
    value, error = np.full(count, np.nan), np.full(count, np.nan)
    flat = np.zeros(count, dtype=np.bool_)
    exponents = lanes.exponents().astype(np.float64)
    waiting = np.arange(count)
    for offset, levels in ATTEMPTS:
        for level in range(1, levels):
            if not len(waiting):
                break
            steps = np.exp2(exponents[waiting, None] + offset - np.arange(level + 1))
            readings, silent = extrapolate(sample, waiting, steps)
            if (offset, level) == (ATTEMPTS[0][0], 1):
                # Smaller steps are silent wherever the change is rounded away.
                flat[waiting] = silent & (analytic[waiting] == 0.0)
            close = _closes_in(readings, analytic[waiting], slack[waiting])
            value[waiting[close]] = readings[0][close]
            error[waiting[close]] = np.abs(readings[0] - readings[1])[close]
            waiting = waiting[~close & ~flat[waiting]]
    return Accepted(np.isfinite(value), flat, value, error)


def extrapolate(sample: Sampler, lanes: Ints, steps: Floats) -> tuple[list[Floats], Bools]:
    """The last row of Romberg's table, best reading first, and which lanes did not respond."""
    with np.errstate(all="ignore"):
        pairs = sample(lanes, steps)
        row = [pairs.odd[:, 0] / (2.0 * steps[:, 0])]
        for level in range(1, steps.shape[1]):
            following = [pairs.odd[:, level] / (2.0 * steps[:, level])]
            for k, coarser in enumerate(row, start=1):
                finer = following[-1]
                following.append(finer + (finer - coarser) / (4.0**k - 1.0))
            row = following
    silent = np.all((pairs.odd == 0.0) & (pairs.even == 0.0), axis=1)
    return row[::-1], silent


def _closes_in(readings: list[Floats], analytic: Floats, slack: Floats) -> Bools:
    close = slack > 0.0
    with np.errstate(invalid="ignore"):
        for reading, factor in zip(readings, CLOSING_IN, strict=False):
            close &= np.abs(reading - analytic) <= factor * slack
    return close
