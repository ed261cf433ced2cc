"""Numeric derivatives by Romberg's extrapolation of central differences.

D_j = [f(x + t_j) - f(x - t_j)] / 2 t_j with t_j halved from level to level,
T_j0 = D_j and T_jk = T_j,k-1 + (T_j,k-1 - T_j-1,k-1) / (4**k - 1)
(Romberg, 1955; Ridders, Adv. Eng. Software 4, 1982). Each T_jk is compared with
its neighbours one level up and one order down, and the best one is taken.
"""

from __future__ import annotations

import numpy as np

from grader.checks.gradients.ladder import Floats, Rule

LEVELS = 5
_MULTIPLES = np.exp2(np.arange(LEVELS)[::-1].astype(np.float64))


def _table() -> dict[tuple[int, int], Floats]:
    """The weights of T_jk on f(x + t) - f(x - t), in units of the finest step."""
    table: dict[tuple[int, int], Floats] = {}
    for j in range(LEVELS):
        table[j, 0] = np.eye(LEVELS)[j] / (2.0 * _MULTIPLES[j])
        for k in range(1, j + 1):
            better, coarser = table[j, k - 1], table[j - 1, k - 1]
            table[j, k] = better + (better - coarser) / (4.0**k - 1.0)
    return table


def _rule() -> Rule:
    table = _table()
    # Two levels are gone before a kink can be seen.
    chosen = [(j, k) for j in range(2, LEVELS) for k in range(1, j + 1)]
    above = [table[j - 1, min(k, j - 1)] for j, k in chosen]
    lower = [table[j, k - 1] for j, k in chosen]
    return Rule(
        multiples=_MULTIPLES,
        weights=np.stack([table[pair] for pair in chosen]),
        others=np.stack([above, lower]),
        bends=np.array([[j, j - 1, j - 2] for j in range(2, LEVELS)]),
        reach=np.array([max(j - k, 2) - 2 for j, k in chosen]),
        own=np.array([_MULTIPLES[j] for j, _ in chosen]),
        low=np.array([j == LEVELS - 1 for j, _ in chosen]),
        high=np.array([j - k <= 1 for j, k in chosen]),
        start=-2,
        stride=4,
    )


ROMBERG = _rule()
