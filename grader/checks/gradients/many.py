"""Gradients of many elements, for the price of a few directions.

A derivative along a direction holds all elements at once: one wrong element
shows in it, and halving the direction finds which one, in a number of
evaluations that grows with the logarithm of the elements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.calling import SampledFunction
from grader.checks.gradients.deciding import SAFETY, Claims, Decision, Doubts, Together, decide
from grader.checks.gradients.ladder import Ints, Lanes, root_mean_square
from grader.checks.gradients.quick import extrapolate
from grader.checks.gradients.sampling import Line, line_sampler
from grader.checks.gradients.together import REACH, rounding_along

Floats: TypeAlias = NDArray[np.float64]

MANY = 1000
"""Beyond this, element by element costs more than it tells."""

DIRECTIONS = 3
SAMPLED = 8
"""Elements that are looked at by themselves: corners, largest, smallest and random ones."""

SHARPER = 1e-2
"""A direction's tolerance, in parts of an element's: one wrong element among
many moves the sum little, and the sum of many is known well."""

MAX_SEARCHES, LEAF = 3, 2
"""Bad elements that are looked for by halving, and when halving ends."""

BLOCK_STEPS = ((-4, 3), (-13, 2))
"""How a half is measured: as in `quick`, and at smaller steps where those do not agree."""

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Examined:
    """What was found out about directions, and about the elements of the flat indices `chosen`.

    `spread` bounds the relative error of every other element, were it alone.
    """

    directions: Decision
    elements: Decision
    chosen: Ints
    spread: Floats


def examine(
    function: SampledFunction, centre: Floats, analytic: Floats, tolerance: float, doubts: Doubts
) -> Examined:
    """Decide on directions and single elements, and look for the cause where a direction fails.

    A direction that fails without a wrong element to be found is passed where
    errors within every element's tolerance explain it. `doubts` are asked for
    all elements.
    """
    trial = _Trial(function, centre, analytic, tolerance, doubts)
    rng = np.random.default_rng(analytic.size)
    lines, chosen = _directions(trial, rng), _sample(analytic, rng)
    found = trial.decide(lines, chosen)
    order = np.arange(len(lines) + len(chosen))
    directions, elements = found.take(order[: len(lines)]), found.take(order[len(lines) :])
    if directions.failed.any() and not elements.failed.any():
        claims = trial.claims(lines, chosen[:0])
        excess = np.abs(claims.analytic - directions.found.value) / (claims.norm + _TINY)
        worst = int(np.argmax(np.where(directions.failed, excess, -1.0)))
        suspects = _search(trial, lines[worst], float(directions.found.value[worst]))
        suspects = np.setdiff1d(suspects, chosen)
        elements = elements.join(trial.decide([], suspects))
        chosen = np.concatenate([chosen, suspects])
        directions = _explain(trial, lines, directions)
    return Examined(directions, elements, chosen, _spread(trial, directions))


def _explain(trial: _Trial, lines: list[Floats], found: Decision) -> Decision:
    """Directions do not fail where errors within every element's tolerance explain them."""
    claims = trial.claims(lines, np.empty(0, dtype=np.int64))
    total = np.array([np.sum(np.abs(line * trial.analytic)) for line in lines])
    gap = np.abs(claims.analytic - found.found.value)
    beyond = found.failed & (gap > SAFETY * found.found.error + found.tolerance * total)
    if beyond.any():
        beyond &= gap > np.array([rounding_along(line, trial.doubts) for line in lines])
    worst = int(np.argmax(gap / (total + _TINY)))
    together = Together(float(claims.analytic[worst]), float(found.found.value[worst]))
    return replace(
        found,
        failed=beyond,
        resolution=np.where(found.failed, gap / (claims.norm + _TINY), found.resolution),
        together=together if beyond.any() else None,
    )


def _spread(trial: _Trial, found: Decision) -> Floats:
    """An error in one element moves a direction by at least half of it."""
    norm = float(np.linalg.norm(trial.analytic))
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = 2.0 * found.resolution[0] * norm / np.abs(trial.analytic)
    return np.where(np.isnan(bound), np.inf, bound)


class _Trial:
    """A gradient under examination; its directions are measured once."""

    def __init__(
        self,
        function: SampledFunction,
        centre: Floats,
        analytic: Floats,
        tolerance: float,
        doubts: Doubts,
    ) -> None:
        self.function, self.centre = function, centre
        self.x = function.point.x.reshape(-1)
        self.analytic, self.tolerance, self.doubts = analytic, tolerance, doubts
        self.scale = REACH * (root_mean_square(self.x) or 1.0)

    def decide(self, lines: list[Floats], chosen: Ints) -> Decision:
        """Judge directions and elements side by side."""
        axes = Lanes.along_axes(self.x)
        lanes = Lanes(
            np.concatenate([np.zeros(len(lines)), axes.at[chosen]]),
            np.concatenate([np.full(len(lines), self.scale), axes.scale[chosen]]),
        )
        none = np.zeros(len(lines))
        doubts = Doubts(
            self.doubts.single,
            lambda: np.concatenate([none, self.doubts.rounding()[chosen]]),
            np.concatenate([none, self.doubts.lost[chosen]]),
        )
        moving: list[Line] = [*lines, *(int(i) for i in chosen)]
        sampler = line_sampler(self.function, self.centre, moving)
        return decide(sampler, lanes, self.claims(lines, chosen), doubts, shared_noise=False)

    def claims(self, lines: list[Floats], chosen: Ints) -> Claims:
        """What the gradient says of each lane."""
        elements = Claims.of_elements(self.analytic[chosen], self.tolerance)
        products = [line * self.analytic for line in lines]
        norms = np.array([np.linalg.norm(product) for product in products])
        return Claims(
            np.concatenate([[math.fsum(p.tolist()) for p in products], elements.analytic]),
            np.concatenate([norms, elements.norm]),
            np.concatenate([np.full(len(lines), SHARPER * self.tolerance), elements.tolerance]),
            np.concatenate([np.zeros(len(lines), dtype=np.bool_), elements.elements]),
        )


def _directions(trial: _Trial, rng: np.random.Generator) -> list[Floats]:
    """A random one, one along which no errors of like sign cancel, and that of weight decay.

    Not of plus and minus ones: two swapped elements would go unseen half the time.
    """
    size = trial.x.size
    signs = rng.choice([-1.0, 1.0], size)
    along = np.where(trial.analytic != 0.0, np.sign(trial.analytic), signs)
    return [
        signs * rng.uniform(0.5, 1.5, size),
        along * rng.uniform(0.5, 1.5, size),
        trial.x / (root_mean_square(trial.x) or 1.0) if trial.x.any() else rng.normal(size=size),
    ]


def _sample(analytic: Floats, rng: np.random.Generator) -> Ints:
    magnitude = np.abs(analytic)
    smallest = np.where(magnitude > 0.0, magnitude, np.inf)
    wanted = [0, analytic.size - 1, int(np.argmax(magnitude)), int(np.argmin(smallest))]
    others = rng.choice(analytic.size, SAMPLED, replace=False).tolist()
    return np.array(list(dict.fromkeys([*wanted, *others]))[:SAMPLED], dtype=np.int64)


def _search(trial: _Trial, line: Floats, total: float) -> Ints:
    """Elements that explain why the derivative along `line` is `total` and not the claim.

    What one search finds is taken out before the next begins.
    """
    claimed = line * trial.analytic
    halves = _Halves(trial, line, total)
    suspects: list[int] = []
    for _ in range(MAX_SEARCHES):
        leaf = _descend(halves, claimed)
        if set(leaf) & set(suspects):
            break
        suspects += leaf
        claimed[leaf] = [halves.measure(i, i + 1) for i in leaf]
        allowed = SHARPER * trial.tolerance * float(np.linalg.norm(claimed))
        if abs(math.fsum(claimed.tolist()) - total) <= allowed:
            break
    return np.array(suspects, dtype=np.int64)


def _descend(halves: _Halves, claimed: Floats) -> list[int]:
    """Follow the half that is further off, down to single elements."""
    start, stop = 0, claimed.size
    while stop - start > LEAF:
        middle, left, right = halves.split(start, stop)
        off_left = abs(math.fsum(claimed[start:middle].tolist()) - left)
        off_right = abs(math.fsum(claimed[middle:stop].tolist()) - right)
        start, stop = (start, middle) if off_left >= off_right else (middle, stop)
    return list(range(start, stop))


class _Halves:
    """Derivatives along parts of a direction; a right half is the whole less its left one."""

    def __init__(self, trial: _Trial, line: Floats, total: float) -> None:
        self.trial, self.line = trial, line
        self.known = {(0, line.size): total}

    def split(self, start: int, stop: int) -> tuple[int, float, float]:
        """Where a part is halved, and the derivatives along both halves."""
        middle = (start + stop) // 2
        if (start, middle) not in self.known:
            left = self.measure(start, middle)
            self.known[start, middle] = left
            self.known[middle, stop] = self.known[start, stop] - left
        return middle, self.known[start, middle], self.known[middle, stop]

    def measure(self, start: int, stop: int) -> float:
        """The derivative along a part: the reading that agrees best with the one before it."""
        part = np.zeros_like(self.line)
        part[start:stop] = self.line[start:stop]
        sample = line_sampler(self.trial.function, self.trial.centre, [part])
        exponent = math.floor(math.log2(self.trial.scale))
        best, gap = math.nan, math.inf
        enough = SHARPER * self.trial.tolerance * float(np.linalg.norm(part * self.trial.analytic))
        for offset, levels in BLOCK_STEPS:
            steps = np.exp2(exponent + offset - np.arange(levels, dtype=np.float64))
            readings, _ = extrapolate(sample, np.zeros(1, dtype=np.int64), steps[None, :])
            distance = abs(float(readings[0][0] - readings[1][0]))
            if distance < gap:
                best, gap = float(readings[0][0]), distance
            if gap <= enough:
                break
        return best
