"""Numeric derivatives with an error estimate, by a ladder of 8-point central stencils.

The numbers of many *lanes* are found side by side. A lane is one derivative
at one coordinate: an element of a gradient, or one element of an elementwise
function. A sampler turns (lanes, steps) into function values, so nothing here
knows how the function is called.

The stencil of order 8 (Fornberg, Math. Comp. 51, 1988):
f'(x) = sum_k w_k [f(x + k h) - f(x - k h)] / h, w = 4/5, -1/5, 4/105, -1/280.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

WEIGHTS_8 = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
WEIGHTS_6 = np.array([3 / 4, -3 / 20, 1 / 60, 0.0])

LEVELS = 5
"""Halvings in a stage: 16**8 = 4e9 lies between the truncation errors of its ends."""

NOISE_GAIN = 2.1
"""2 * sum|w|: how much the stencil amplifies the noise of one value, over h."""

PROBES = np.array([2.0**-10, 1.37 * 2.0**-12, 0.83 * 2.0**-14])
"""Steps that measure noise, as parts of a stage's middle step. Powers of two
alone make rounding errors repeat, and the noise seems to vanish."""

ABSORBER = 1.0
"""Where nothing else is known: small terms vanish beside a 1, as in log(1 + exp(x))."""

PROBE_SAFETY = 4.0
"""Three differences see the noise, not its maximum."""

KINK_NOISE = 12.0
KINK_DECAY = 0.4
"""A jump of the slope stays as the step halves; a smooth function's falls to 1/8."""

MAX_DRIFT = 0.1
"""A jump that changes more from level to level lies beside the point, not at it."""

STEP_DOWN = 5
"""The next stage below begins where this one ended."""

JUMP_DOWN = 8
"""Nothing finite, or a kink in reach: leave it behind in fewer stages."""

PLUNGE = 20
"""A kink closer than the smallest probe: go where 1e-8 of the scale is the whole reach."""

DEEPEST, HIGHEST, MAX_STAGES = 40, 15, 8

# Every level's four points as multiples of the finest step; halving shares most of them.
_MULTIPLES = np.array([64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1], dtype=np.float64)
_COLUMNS = np.array(
    [
        [int(np.flatnonzero((16 >> level) * k == _MULTIPLES)[0]) for k in (1, 2, 3, 4)]
        for level in range(LEVELS)
    ]
)
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Pairs:
    """What a sampler returns, each of shape (lanes, steps).

    `odd` is f(x + t) - f(x - t), `even` is f(x + t) + f(x - t) - 2 f(x), and
    `size` the magnitude of the values that were subtracted.
    """

    odd: Floats
    even: Floats
    size: Floats


Sampler: TypeAlias = Callable[[Ints, Floats], Pairs]


@dataclass(frozen=True)
class Estimate:
    """Derivatives of all lanes, each of shape (lanes,).

    `error` is infinite where no step gave finite values. `jump` is the distance
    between the one-sided derivatives where the point is a kink (`value` is then
    their mean), else 0. `quiet` is true where no small step changed the
    function at all.
    """

    value: Floats
    error: Floats
    jump: Floats
    quiet: Bools


@dataclass(frozen=True)
class _Tiny:
    """What the probes, far below the stencil's steps, say of each lane."""

    slope: Floats
    step: Floats
    noise: Floats
    jump: Floats


@dataclass(frozen=True)
class _Stage:
    """One stage of some lanes: the best level's numbers and what they suggest."""

    value: Floats
    error: Floats
    smooth_error: Floats
    jump: Floats
    noise: Floats
    step: Floats
    size: Floats
    quiet: Bools
    move: Ints


def estimate(sample: Sampler, x: Floats, goal: float, *, shared_noise: bool) -> Estimate:
    """Estimate the derivative in each lane to a relative error of `goal` where that is possible.

    `x` holds the lanes' coordinates, shape (lanes,). With `shared_noise` all
    lanes differentiate one function, so that a lane in which it does not
    respond to small steps takes over the noise that the others show.
    """
    start = np.floor(np.log2(_scale(x))) - 3
    board = _Board(len(x))
    lanes, top = np.arange(len(x)), start.copy()
    for _ in range(MAX_STAGES):
        stage = _run_stage(sample, lanes, x[lanes], top, goal, top - start[lanes])
        board.take(lanes, stage, top <= start[lanes])
        following = top + stage.move
        inside = (following >= start[lanes] - DEEPEST) & (following <= start[lanes] + HIGHEST)
        go = (stage.move != 0) & inside & board.keeps_direction(lanes, stage.move)
        lanes, top = lanes[go], following[go]
        if not len(lanes):
            break
    return board.estimate(shared_noise)


class _Board:
    """The best numbers of each lane so far."""

    def __init__(self, lanes: int) -> None:
        self.value = np.full(lanes, np.nan)
        self.error = np.full(lanes, np.inf)
        self.jump = np.zeros(lanes)
        self.noise = np.zeros(lanes)
        self.step = np.ones(lanes)
        self.size = np.zeros(lanes)
        self.quiet = np.zeros(lanes, dtype=np.bool_)
        self.direction = np.zeros(lanes, dtype=np.int64)

    def take(self, lanes: Ints, stage: _Stage, down: Bools) -> None:
        """Keep the numbers of the smaller error; of two that contradict, the smaller steps'.

        Steps that have grown past a kink see a smooth function again, of another slope.
        """
        kinked = stage.jump != 0.0
        with np.errstate(invalid="ignore"):
            gap = np.abs(stage.value - self.value[lanes])
            contradict = gap > 2.0 * (stage.error + self.error[lanes])
        smaller = stage.error < self.error[lanes]
        better = np.where(contradict, down, smaller) | kinked
        to = lanes[better]
        self.error[to] = np.where(kinked, stage.smooth_error, stage.error)[better]
        for field in ("value", "jump", "noise", "step", "size", "quiet"):
            getattr(self, field)[to] = getattr(stage, field)[better]

    def keeps_direction(self, lanes: Ints, move: Ints) -> Bools:
        """Turning back would only walk the same steps again."""
        sign = np.sign(move)
        keeps: Bools = self.direction[lanes] * sign >= 0
        self.direction[lanes] = np.where(self.direction[lanes] == 0, sign, self.direction[lanes])
        return keeps

    def estimate(self, shared_noise: bool) -> Estimate:
        """A quiet lane has shown no noise of its own: lend it what is known of noise."""
        heard = self.noise[~self.quiet & np.isfinite(self.noise)]
        if shared_noise and heard.size:
            lent = np.full_like(self.noise, heard.max())
        else:
            lent = 0.5 * _EPS * np.maximum(self.size, ABSORBER)
        doubted = np.maximum(self.error, NOISE_GAIN * lent / self.step)
        error = np.where(self.quiet, doubted, self.error)
        return Estimate(self.value, error, self.jump, self.quiet)


def _scale(x: Floats) -> Floats:
    """A length for each lane: |x|, but no less than the rms of all (at most 1)."""
    largest = float(np.max(np.abs(x)))
    if largest == 0.0:
        return np.ones_like(x)
    rms = largest * float(np.sqrt(np.mean((x / largest) ** 2)))
    return np.maximum(np.abs(x), max(min(rms, 1.0), 1e-250))


def _run_stage(
    sample: Sampler, lanes: Ints, x: Floats, top: Floats, goal: float, depth: Floats
) -> _Stage:
    """Sample 12 stencil steps and 3 probes on either side, and read them."""
    steps = np.exp2(top[:, None] - np.arange(LEVELS))
    middle = steps[:, [LEVELS // 2]]
    every = np.hstack([steps[:, [-1]] * _MULTIPLES, middle * PROBES])
    with np.errstate(all="ignore"):
        return _read(sample(lanes, every), x, steps, every, goal, depth)


def _read(
    pairs: Pairs, x: Floats, steps: Floats, every: Floats, goal: float, depth: Floats
) -> _Stage:
    odd, even = pairs.odd[:, _COLUMNS], pairs.even[:, _COLUMNS]
    slope = np.sum(odd * WEIGHTS_8, axis=2) / steps
    tiny = _read_probes(pairs, x, every, slope[:, -1])
    rounding = 0.5 * _EPS * np.max(pairs.size[:, _COLUMNS], axis=2)
    noise = np.maximum(tiny.noise[:, None], rounding)
    floor = NOISE_GAIN * noise / steps + 2.0 * np.abs(slope) * _misplacement(x, steps)
    truncation = _truncation(odd, slope, steps)
    beyond = np.abs(slope - tiny.slope[:, None]) - 2.0 * noise / tiny.step[:, None]
    truncation = np.fmax(truncation, beyond)
    jump, raw_jump = _jump(even, steps, noise)
    smooth = _infinite_unless_finite(truncation + floor, slope)
    # A kink in reach of a step is in reach of all larger ones, whatever they see.
    reached = np.maximum.accumulate(np.abs(jump)[:, ::-1], axis=1)[:, ::-1]
    error = np.maximum(smooth, reached / 2.0)
    width, steady = _width_at_point(raw_jump)
    kinked = jump[:, -1] != 0.0
    doubt, half = KINK_NOISE * tiny.noise / tiny.step, np.abs(jump[:, -1]) / 2.0
    beside, inside = kinked & (tiny.jump + doubt < half), kinked & (tiny.jump - doubt > half)
    at_point = (depth <= -PLUNGE) & kinked & ~beside & steady & np.isfinite(smooth[:, 0])
    best = np.where(at_point, 0, np.argmin(error, axis=1))
    rows = np.arange(len(x))
    move = _next_move(
        best,
        error[rows, best],
        goal * np.abs(slope[rows, best]),
        truncation[rows, best],
        floor[rows, best],
        (kinked, beside, inside),
    )
    silent = (pairs.odd == 0.0) & (pairs.even == 0.0)
    return _Stage(
        value=slope[rows, best],
        error=error[rows, best],
        smooth_error=smooth[rows, best],
        jump=np.where(at_point, width, 0.0),
        noise=noise[rows, best],
        step=steps[rows, best],
        quiet=np.all(silent[:, -len(PROBES) :], axis=1),
        size=np.max(pairs.size[:, -len(PROBES) :], axis=1),
        move=np.where(at_point | np.all(silent, axis=1), 0, move),
    )


def _infinite_unless_finite(error: Floats, slope: Floats) -> Floats:
    return np.where(np.isfinite(slope) & np.isfinite(error), error, np.inf)


def _truncation(odd: Floats, slope: Floats, steps: Floats) -> Floats:
    """What order 6 and the neighbouring step say of the stencil's own error."""
    order = np.abs(slope - np.sum(odd * WEIGHTS_6, axis=2) / steps)
    gaps = np.abs(np.diff(slope, axis=1))
    larger: Floats = np.fmax(order, np.hstack([gaps, gaps[:, [-1]]]))
    return larger


def _misplacement(x: Floats, steps: Floats) -> Floats:
    """How far x + k h misses its place because x is a float, in units of h."""
    reach = steps[:, :, None] * np.array([-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0])
    centre = x[:, None, None]
    missed: Floats = np.max(np.abs(((centre + reach) - centre) - reach), axis=2) / steps
    return missed


def _read_probes(pairs: Pairs, x: Floats, every: Floats, slope: Floats) -> _Tiny:
    """Measure the function's noise from differences at three unrelated small steps.

    Never from eps * |f|: a sum that cancels inside the function is noisier
    than its value tells. A probe without any response, although the slope
    asks for one, shows noise too: the change was rounded away.
    """
    odd, even = pairs.odd[:, -3:], pairs.even[:, -3:]
    asked, centre = every[:, -3:], x[:, None]
    width = ((centre + asked) - (centre - asked)) / 2.0
    step = np.where(width > 0.0, width, asked)
    slopes = odd / (2.0 * step)
    spread = [np.abs(slopes[:, a] - slopes[:, b]) * step[:, b] for a, b in ((0, 1), (0, 2), (1, 2))]
    silent = (odd == 0.0) & (even == 0.0) & np.isfinite(slope)[:, None]
    rounded = np.where(silent, np.abs(slope)[:, None] * step, 0.0)
    noise = PROBE_SAFETY * np.maximum(np.max(spread, axis=0), np.max(rounded, axis=1))
    smallest = step[:, -1]
    noise = np.where(np.isfinite(noise), noise, np.inf)
    return _Tiny(slopes[:, -1], smallest, noise, np.abs(even[:, -1]) / smallest)


def _jump(even: Floats, steps: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """The jump of the slope as each level sees it: 0 where it sees none, and as measured.

    J(t) = [f(x+t) + f(x-t) - 2 f(x)] / t is t f'' of a smooth function and the
    jump at a kink; 2 J(t) - J(2t) removes the smooth part.
    """
    once, twice, four = even[:, :, 0], even[:, :, 1] / 2.0, even[:, :, 3] / 4.0
    here = (2.0 * once - twice) / steps
    above = (2.0 * twice - four) / steps
    stays = np.abs(here) > KINK_DECAY * np.abs(above)
    heard = np.abs(here) > KINK_NOISE * noise / steps
    return np.where(stays & heard, here, 0.0), here


def _width_at_point(jump: Floats) -> tuple[Floats, Bools]:
    """The width between the one-sided derivatives, from the coarsest level of a deep stage.

    A kink at a distance r of no more than a part of the step h falsifies the
    jump and the mean slope by about r / h; the next level shows by how much.
    """
    drift = np.abs(jump[:, 0] - jump[:, 1])
    width = np.abs(jump[:, 0])
    steady: Bools = drift <= MAX_DRIFT * width
    return width + 2.0 * drift, steady


def _next_move(
    best: Ints,
    error: Floats,
    wanted: Floats,
    truncation: Floats,
    floor: Floats,
    kinks: tuple[Bools, Bools, Bools],
) -> Ints:
    """By how many exponents the next stage should lie higher or lower; 0 where done.

    `kinks` say where the finest step sees a kink, where the smallest probe lies
    between it and the point, and where even that probe sees it.
    """
    kinked, beside, inside = kinks
    finite = np.isfinite(error)
    truncated = truncation > floor
    at_bottom = (best >= LEVELS - 2) | (truncation > 16.0 * floor)
    move = np.select(
        [
            finite & (error <= wanted),
            ~finite,
            inside,
            beside,
            kinked,
            truncated & at_bottom,
            ~truncated & (best == 0),
        ],
        [0, -JUMP_DOWN, -PLUNGE, -JUMP_DOWN, -STEP_DOWN, -STEP_DOWN, STEP_DOWN],
        default=0,
    )
    return move.astype(np.int64)
