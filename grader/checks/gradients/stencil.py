"""Numeric derivatives by a ladder of 8-point central stencils, each with an error estimate.

The stencil of order 8 (Fornberg, Math. Comp. 51, 1988):
f'(x) = sum_k w_k [f(x + k h) - f(x - k h)] / h, w = 4/5, -1/5, 4/105, -1/280.
Five halvings of h make a stage: 16**8 = 4e9 lies between the truncation errors
of its ends. Order 6 on the same points and the neighbouring h tell the error.
"""

from __future__ import annotations

import numpy as np

from grader.checks.gradients.ladder import Estimate, Floats, Lanes, Pairs, Rule, Sampler, climb

__all__ = ["STENCIL", "Estimate", "Pairs", "Sampler", "estimate"]

WEIGHTS_8 = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
WEIGHTS_6 = np.array([3 / 4, -3 / 20, 1 / 60, 0.0])
LEVELS = 5

# Every level's four points as multiples of the finest step; halving shares most of them.
MULTIPLES = np.array([64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1], dtype=np.float64)


def _columns(level: int) -> list[int]:
    return [int(np.flatnonzero((16 >> level) * k == MULTIPLES)[0]) for k in (1, 2, 3, 4)]


def _spread(weights: Floats) -> Floats:
    """One row of weights a level, placed at the level's points."""
    rows = np.zeros((LEVELS, len(MULTIPLES)))
    for level in range(LEVELS):
        rows[level, _columns(level)] = weights / (16 >> level)
    return rows


def _rule() -> Rule:
    eight, levels = _spread(WEIGHTS_8), np.arange(LEVELS)
    # The finest level has no finer neighbour.
    neighbour = eight[[*levels[1:], LEVELS - 2]]
    return Rule(
        multiples=MULTIPLES,
        weights=eight,
        others=np.stack([_spread(WEIGHTS_6), neighbour]),
        bends=np.array([[_columns(level)[i] for i in (0, 1, 3)] for level in range(LEVELS)]),
        reach=levels,
        own=np.exp2(levels[::-1].astype(np.float64)),
        low=levels >= LEVELS - 2,
        high=levels == 0,
        start=-1,
        stride=5,
    )


STENCIL = _rule()


def estimate(sample: Sampler, x: Floats, goal: float, *, shared_noise: bool) -> Estimate:
    """Estimate the derivative along each axis to a relative error of `goal` where it can be.

    `x` holds the lanes' coordinates, shape (lanes,).
    """
    wanted = np.full(len(x), goal)
    return climb(STENCIL, sample, Lanes.along_axes(x), wanted, shared_noise=shared_noise)
