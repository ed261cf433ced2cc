"""What single differences tell of a function near a point: its noise and its kinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

PROBES = np.array([2.0**-14, 1.37 * 2.0**-16, 0.83 * 2.0**-18])
"""Steps that measure noise, as parts of a stage's largest one. Powers of two
alone make rounding errors repeat, and the noise seems to vanish."""

PROBE_SAFETY = 4.0
"""Three differences see the noise, not its maximum."""

KINK_NOISE = 12.0
KINK_DECAY = 0.4
"""A jump of the slope stays as the step halves; a smooth function's falls to 1/8."""

MAX_DRIFT = 0.1
"""A jump that changes more from level to level lies beside the point, not at it."""


WHOLE, MANY_STAIRS = 1e-5, 1e5
"""How closely differences are multiples of one stair, up to so many of it."""

UNHEARD = 8.0
"""A change of so many roundings of the values shows in double precision."""

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Tiny:
    """What the probes, far below a stage's steps, say of each lane."""

    slope: Floats
    step: Floats
    noise: Floats
    jump: Floats


def read_probes(odd: Floats, even: Floats, x: Floats, asked: Floats, slope: Floats) -> Tiny:
    """Measure the function's noise from differences at three unrelated small steps.

    Never from eps * |f|: a sum that cancels inside the function is noisier
    than its value tells. A probe without any response, although the slope
    asks for one, shows noise too: the change was rounded away.
    """
    centre = x[:, None]
    width = ((centre + asked) - (centre - asked)) / 2.0
    step = np.where(width > 0.0, width, asked)
    slopes = odd / (2.0 * step)
    spread = [np.abs(slopes[:, a] - slopes[:, b]) * step[:, b] for a, b in ((0, 1), (0, 2), (1, 2))]
    silent = (odd == 0.0) & (even == 0.0) & np.isfinite(slope)[:, None]
    rounded = np.where(silent, np.abs(slope)[:, None] * step, 0.0)
    noise = PROBE_SAFETY * np.maximum(np.max(spread, axis=0), np.max(rounded, axis=1))
    smallest = step[:, -1]
    noise = np.where(np.isfinite(noise), noise, np.inf)
    return Tiny(slopes[:, -1], smallest, noise, np.abs(even[:, -1]) / smallest)


def stair(
    odd: Floats, even: Floats, probed: int, slope: Floats, step: Floats, size: Floats
) -> Floats:
    """The height of the stairs that lower precision makes of a function; 0 where there are none.

    Where the last `probed` steps, the largest of which is `step`, change nothing
    although the slope asks for it, and the other differences are multiples of
    the least one, that one is noise. Beside a kink they are no multiples.
    """
    changes = np.abs(np.hstack([odd, even]))
    quiet = np.all((odd[:, -probed:] == 0.0) & (even[:, -probed:] == 0.0), axis=1)
    expected = np.abs(slope) * step > UNHEARD * _EPS * size
    least = np.min(np.where(changes > 0.0, changes, np.inf), axis=1)
    counts = changes / least[:, None]
    off = np.abs(counts - np.round(counts)) > WHOLE * np.maximum(counts, 1.0)
    whole = ~np.any(off & (counts < MANY_STAIRS), axis=1)
    height: Floats = np.where(quiet & expected & whole & np.isfinite(least), least, 0.0)
    return height


def misplacement(x: Floats, steps: Floats) -> Floats:
    """How far x + t and x - t miss their places because x is a float."""
    centre = x[:, None]
    above = np.abs(((centre + steps) - centre) - steps)
    below = np.abs(((centre - steps) - centre) + steps)
    missed: Floats = np.maximum(above, below)
    return missed


@dataclass(frozen=True)
class Kinks:
    """Where the slope jumps, as one stage sees it.

    `seen` by the finest steps; `beside`: between the smallest probe and them;
    `inside`: even that probe sees it; `steady`: at the point itself as far as
    this stage can tell, with `width` between the one-sided derivatives.
    `reached` (lanes, bends) is the largest jump within reach of each bend.
    """

    seen: Bools
    beside: Bools
    inside: Bools
    steady: Bools
    width: Floats
    reached: Floats


def find_kinks(even: Floats, steps: Floats, bends: Ints, noise: Floats, tiny: Tiny) -> Kinks:
    """Look for a jump of the slope that noise does not explain.

    J(t) = [f(x+t) + f(x-t) - 2 f(x)] / t is t f'' of a smooth function and the
    jump at a kink; 2 J(t) - J(2t) removes the smooth part.
    """
    small, double, fourfold = (even[:, column] / steps[:, column] for column in bends.T)
    here, above = 2.0 * small - double, 2.0 * double - fourfold
    finest = bends[:, 0]
    heard = np.abs(here) > KINK_NOISE * noise[:, finest] / steps[:, finest]
    jump = np.where((np.abs(here) > KINK_DECAY * np.abs(above)) & heard, np.abs(here), 0.0)
    # A kink in reach of a step is in reach of all larger ones, whatever they see.
    reached = np.maximum.accumulate(jump[:, ::-1], axis=1)[:, ::-1]
    seen = jump[:, -1] != 0.0
    doubt, half = KINK_NOISE * tiny.noise / tiny.step, jump[:, -1] / 2.0
    beside, inside = seen & (tiny.jump + doubt < half), seen & (tiny.jump - doubt > half)
    width, steady = _width(here)
    return Kinks(seen, beside, inside, seen & ~beside & steady, width, reached)


def _width(jump: Floats) -> tuple[Floats, Bools]:
    """The width between the one-sided derivatives, from a stage's two coarsest bends.

    A kink at a distance r of no more than a part of the step h falsifies the
    jump and the mean slope by about r / h; the next level shows by how much.
    """
    drift = np.abs(jump[:, 0] - jump[:, 1])
    width = np.abs(jump[:, 0])
    steady: Bools = drift <= MAX_DRIFT * width
    return width + 2.0 * drift, steady
