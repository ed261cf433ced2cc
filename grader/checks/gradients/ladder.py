"""The walk along step sizes that finds a derivative and admits how well it is known.

The numbers of many *lanes* are found side by side. A lane is one derivative
along one line: an element of a gradient, a direction through all of them, or
one element of an elementwise function. A sampler turns (lanes, steps) into
function values, so nothing here knows how the function is called; a `Rule`
says how the values of one stage are read. Noise, kinks
and the borders of the domain are the same for all rules, and are handled here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.probes import (
    PROBES,
    Kinks,
    find_kinks,
    misplacement,
    read_probes,
    stair,
)

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

ABSORBER = 1.0
"""Where nothing else is known: small terms vanish beside a 1, as in log(1 + exp(x))."""

JUMP_DOWN = 8
"""Nothing finite, or a kink in reach: leave it behind in fewer stages."""

PLUNGE = 20
"""A kink closer than the smallest probe: go where 1e-8 of the scale is the whole reach."""

DEEPEST, HIGHEST, MAX_STAGES = 40, 6, 8

SINGLE_DEPTH = 12
"""So many exponents down a float32 still shows the finest steps."""

ROUGH = 16.0
"""Truncation this many times above the noise asks for smaller steps."""

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
class Lanes:
    """The lines to differentiate along: a coordinate each, and the length that sets the steps.

    A direction has the coordinate 0, since its points are not rounded to one float.
    """

    at: Floats
    scale: Floats

    @classmethod
    def along_axes(cls, x: Floats) -> Lanes:
        """One lane for each element: |x|, but no less than the rms of all (at most 1)."""
        return cls(x, np.maximum(np.abs(x), max(min(root_mean_square(x) or 1.0, 1.0), 1e-250)))

    def exponents(self) -> Ints:
        """The power of two below each scale."""
        return np.floor(np.log2(self.scale)).astype(np.int64)


@dataclass(frozen=True)
class Rule:
    """How one stage is sampled and read: all of its formulas are sums over the steps.

    `multiples` are the steps in units of the finest one, coarsest first. A row of
    `weights` turns the differences f(x + t) - f(x - t) into one candidate for
    the derivative, over the finest step; `others` (comparisons, candidates,
    steps) into less precise readings of the same, whose distance tells the
    truncation error. `bends` are triples of columns whose steps are as
    1 : 2 : 4; `reach` is each candidate's first of them, and `own` its smallest
    step in units of the finest. `low` and `high` say which candidates suggest
    that smaller or larger steps be tried.
    A stage begins `start` exponents off the scale, the next one `stride` lower.
    """

    multiples: Floats
    weights: Floats
    others: Floats
    bends: Ints
    reach: Ints
    own: Floats
    low: Bools
    high: Bools
    start: int
    stride: int


@dataclass(frozen=True)
class Estimate:
    """Derivatives of all lanes, each of shape (lanes,).

    `error` is infinite where no step gave finite values; `floor` is the part of
    it that the function's own noise makes. `jump` is the distance between the
    one-sided derivatives where the point is a kink (`value` is then their
    mean), else 0. `quiet` is true where no small step changed the function at all.
    `step` is the smallest one of those that gave the value.
    """

    value: Floats
    error: Floats
    jump: Floats
    quiet: Bools
    floor: Floats
    step: Floats

    def take(self, which: Ints) -> Estimate:
        """Some of the lanes."""
        return Estimate(*(getattr(self, field.name)[which] for field in fields(self)))

    def join(self, other: Estimate) -> Estimate:
        """The lanes of both."""
        names = [field.name for field in fields(self)]
        return Estimate(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def put(self, which: Ints, part: Estimate) -> Estimate:
        """The same with some of the lanes replaced."""
        merged = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, values in merged.items():
            values[which] = getattr(part, name)
        return Estimate(**merged)


@dataclass(frozen=True)
class _Goals:
    """What a stage is to reach, and how many exponents it lies above the first one."""

    part: Floats
    depth: Ints


@dataclass(frozen=True)
class _Errors:
    """The best candidate's error, and its two parts; a kink in reach adds to the whole."""

    whole: Floats
    truncation: Floats
    floor: Floats


@dataclass(frozen=True)
class _Stage:
    """One stage of some lanes: the best candidate's numbers and what they suggest."""

    value: Floats
    error: Floats
    smooth_error: Floats
    jump: Floats
    noise: Floats
    floor: Floats
    gain: Floats
    size: Floats
    quiet: Bools
    still: Bools
    step: Floats
    move: Ints


def root_mean_square(x: Floats) -> float:
    """Of any magnitude; 0 for zeros."""
    largest = float(np.max(np.abs(x)))
    return largest * float(np.sqrt(np.mean((x / largest) ** 2))) if largest > 0.0 else 0.0


def climb(
    rule: Rule,
    sample: Sampler,
    lanes: Lanes,
    wanted: Floats,
    *,
    shared_noise: bool,
    lower: Ints | int = 0,
) -> Estimate:
    """Estimate the derivative in each lane until its error is `wanted` of it, if it can be.

    Lanes begin `lower` exponents below the rule's start, where larger steps are
    known to be of no use. With `shared_noise` all lanes differentiate one
    function, so that a lane in which it does not respond to small steps takes
    over the noise that the others show.
    """
    start = lanes.exponents() + rule.start
    board = _Board(len(start))
    open_lanes, top = np.arange(len(start)), start - lower
    for _ in range(MAX_STAGES):
        depth = top - start[open_lanes]
        goals = _Goals(wanted[open_lanes], depth)
        stage = _run_stage(rule, sample, open_lanes, lanes.at, top, goals)
        board.take(open_lanes, stage, depth)
        following = top + stage.move
        inside = (following >= start[open_lanes] - DEEPEST) & (
            following <= start[open_lanes] + HIGHEST
        )
        go = (stage.move != 0) & inside & board.keeps_direction(open_lanes, stage.move)
        open_lanes, top = open_lanes[go], following[go]
        if not len(open_lanes):
            break
    return board.estimate(shared_noise)


class _Board:
    """The best numbers of each lane so far."""

    def __init__(self, lanes: int) -> None:
        self.value = np.full(lanes, np.nan)
        self.error = np.full(lanes, np.inf)
        self.jump = np.zeros(lanes)
        self.noise = np.zeros(lanes)
        self.floor = np.zeros(lanes)
        self.gain = np.ones(lanes)
        self.size = np.zeros(lanes)
        self.quiet = np.zeros(lanes, dtype=np.bool_)
        self.step = np.full(lanes, np.nan)
        self.direction = np.zeros(lanes, dtype=np.int64)

    def take(self, lanes: Ints, stage: _Stage, depth: Ints) -> None:
        """Keep the numbers of the smaller error; of two that contradict, the smaller steps'.

        Steps that have grown past a kink see a smooth function again, of another
        slope. Steps that have shrunk to where nothing changes are trusted only beside
        a kink, one side of which may be flat, and where a float32 would still change.
        """
        kinked = stage.jump != 0.0
        with np.errstate(invalid="ignore"):
            gap = np.abs(stage.value - self.value[lanes])
            contradict = gap > 2.0 * (stage.error + self.error[lanes])
        smaller = stage.error < self.error[lanes]
        flat = stage.still & (depth >= -SINGLE_DEPTH)
        trusted = (depth <= 0) & (~stage.quiet | (self.jump[lanes] != 0.0) | flat)
        better = np.where(contradict, trusted, smaller) | kinked
        to = lanes[better]
        self.error[to] = np.where(kinked, stage.smooth_error, stage.error)[better]
        for field in ("value", "jump", "noise", "floor", "gain", "size", "quiet", "step"):
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
        doubted = np.maximum(self.error, self.gain * lent)
        error = np.where(self.quiet, doubted, self.error)
        floor = np.where(self.quiet, doubted, self.floor)
        return Estimate(self.value, error, self.jump, self.quiet, floor, self.step)


def _run_stage(
    rule: Rule, sample: Sampler, open_lanes: Ints, at: Floats, top: Ints, goals: _Goals
) -> _Stage:
    """Sample the rule's steps and three probes on either side, and read them."""
    finest = np.exp2(top.astype(np.float64)) / rule.multiples[0]
    steps = finest[:, None] * rule.multiples
    tiny = steps[:, [0]] * PROBES
    with np.errstate(all="ignore"):
        pairs = sample(open_lanes, np.hstack([steps, tiny]))
        return _read(rule, pairs, at[open_lanes], steps, tiny, goals)


def _read(
    rule: Rule, pairs: Pairs, x: Floats, steps: Floats, tiny: Floats, goals: _Goals
) -> _Stage:
    count, finest = steps.shape[1], steps[:, [-1]]
    odd = pairs.odd[:, :count]
    slope = _weigh(odd, rule.weights) / finest
    probes = read_probes(pairs.odd[:, count:], pairs.even[:, count:], x, tiny, slope[:, -1])
    # The slope that the finest steps see: beside a kink it may be flat, whatever others see.
    size = np.max(pairs.size[:, :count], axis=1)
    height = stair(pairs.odd, pairs.even, len(PROBES), slope[:, -1], tiny[:, 0], size)
    heard = np.maximum(probes.noise, height)
    noise = np.maximum(heard[:, None], 0.5 * _EPS * pairs.size[:, :count])
    gain = 2.0 * np.abs(rule.weights.T) / finest[:, :, None]
    floor = np.einsum("ls,lsc->lc", noise, gain)
    floor += np.abs(slope) * np.einsum("ls,lsc->lc", misplacement(x, steps), gain)
    others = np.stack([_weigh(odd, weights) / finest for weights in rule.others])
    truncation = np.fmax.reduce(np.abs(slope - others))
    beyond = np.abs(slope - probes.slope[:, None])
    truncation = np.fmax(truncation, beyond - 2.0 * (probes.noise / probes.step)[:, None])
    kinks = find_kinks(
        pairs.even[:, :count], steps, rule.bends, noise, replace(probes, noise=heard)
    )
    smooth = _infinite_unless_finite(truncation + floor, slope)
    at_point = kinks.steady & (goals.depth <= -PLUNGE) & np.isfinite(smooth[:, 0])
    error = np.maximum(smooth, kinks.reached[:, rule.reach] / 2.0)
    best = np.where(at_point, 0, np.argmin(error, axis=1))
    rows = np.arange(len(x))
    errors = _Errors(error[rows, best], truncation[rows, best], floor[rows, best])
    move = _next_move(rule, best, errors, goals.part * np.abs(slope[rows, best]), kinks)
    silent = (pairs.odd == 0.0) & (pairs.even == 0.0)
    return _Stage(
        value=slope[rows, best],
        error=errors.whole,
        smooth_error=smooth[rows, best],
        jump=np.where(at_point, kinks.width, 0.0),
        noise=np.max(noise, axis=1),
        floor=errors.floor,
        gain=np.sum(gain, axis=1)[rows, best],
        size=np.max(pairs.size[:, count:], axis=1),
        quiet=np.all(silent[:, count:], axis=1),
        still=np.all(silent[:, count - 1 :], axis=1),
        step=finest[:, 0] * rule.own[best],
        move=np.where(at_point | np.all(silent, axis=1), 0, move),
    )


def _weigh(odd: Floats, weights: Floats) -> Floats:
    """Sums over the steps; a step that is not finite spoils only the sums that use it."""
    finite = np.isfinite(odd)
    spoiled = (~finite).astype(np.float64) @ (weights != 0.0).T.astype(np.float64) > 0.0
    sums: Floats = np.where(spoiled, np.nan, np.where(finite, odd, 0.0) @ weights.T)
    return sums


def _infinite_unless_finite(error: Floats, slope: Floats) -> Floats:
    return np.where(np.isfinite(slope) & np.isfinite(error), error, np.inf)


def _next_move(rule: Rule, best: Ints, errors: _Errors, wanted: Floats, kinks: Kinks) -> Ints:
    """By how many exponents the next stage should lie higher or lower; 0 where done."""
    finite = np.isfinite(errors.whole)
    truncated = errors.truncation > errors.floor
    lower = rule.low[best] | (errors.truncation > ROUGH * errors.floor)
    move = np.select(
        [
            finite & (errors.whole <= wanted),
            ~finite,
            kinks.inside,
            kinks.beside,
            kinks.seen,
            truncated & lower,
            ~truncated & rule.high[best],
        ],
        [0, -JUMP_DOWN, -PLUNGE, -JUMP_DOWN, -rule.stride, -rule.stride, rule.stride],
        default=0,
    )
    return move.astype(np.int64)
