"""Decides lane by lane whether claimed derivatives are those of the function.

First what agrees in a few differences, then Romberg's ladder for the rest, and
before anything is rejected or left open the 8-point ladder as well: a rejection
needs both. No absolute tolerance turns doubt into a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.ladder import Estimate, Ints, Lanes, Pairs, Rule, Sampler, climb
from grader.checks.gradients.quick import Accepted, accept_first
from grader.checks.gradients.romberg import ROMBERG
from grader.checks.gradients.stencil import STENCIL

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

SAFETY = 4.0
"""The error estimate is an estimate: a verdict asks for four of them."""

RESOLUTION = 1e-3
"""A lane known less precisely than this has not been checked."""

NEGLIGIBLE = 1e-4
"""An unresolved element may be passed over where its error is this part of the largest one."""

IN_REACH = 64.0
"""An error this many times too large may be smaller on the second ladder."""

GOAL = 1.0 / 30.0
"""The part of the tolerance that the numeric error should take."""

SINGLE_TOLERANCE = 5e-3
"""In float32 code a rounding error can be almost 1 % of a sum that cancels."""

SINGLE_NEGLIGIBLE = 2e-3
"""And what is passed over beside larger elements is larger by as much."""

SINGLE_RESOLUTION = 0.02
"""And the values are too noisy for more than this."""

CANCELLED = 1e-13
"""A gap below this may be the rounding of numbers of order 1 that cancelled in the gradient."""

LEAST_LOST = 1e-4
"""Rounding by subtraction from 1 leaves no more digits than this of a number below 1e-15."""


@dataclass(frozen=True)
class Claims:
    """What the gradient claims along each lane, and how closely it is held to it.

    `norm` is what an error is relative to, `tolerance` its largest part. Of a
    lane in `elements`, which is one element and no direction, the norm is the
    larger of claim and derivative, and it may be passed over beside larger ones.
    """

    analytic: Floats
    norm: Floats
    tolerance: Floats
    elements: Bools
    resolution: float = RESOLUTION
    negligible: float = NEGLIGIBLE

    @classmethod
    def of_elements(cls, analytic: Floats, tolerance: float) -> Claims:
        """One lane for each element of a gradient."""
        count = len(analytic)
        every = np.ones(count, dtype=np.bool_)
        return cls(analytic, np.abs(analytic), np.full(count, tolerance), every)

    def take(self, which: Ints) -> Claims:
        """Some of the lanes."""
        return Claims(
            self.analytic[which],
            self.norm[which],
            self.tolerance[which],
            self.elements[which],
            self.resolution,
            self.negligible,
        )

    def in_single_precision(self) -> Claims:
        """The same, held only to what float32 code can keep."""
        eased = np.maximum(self.tolerance, SINGLE_TOLERANCE)
        return replace(
            self,
            tolerance=eased,
            resolution=SINGLE_RESOLUTION,
            negligible=SINGLE_NEGLIGIBLE,
        )


@dataclass(frozen=True)
class Doubts:
    """What is asked only where a verdict hangs on it.

    Whether the code computes in float32; the rounding errors of the gradient's
    own elements, a number for each lane; what a loss that is almost 0 may hide.
    """

    single: Callable[[], bool]
    rounding: Callable[[], Floats]
    lost: Floats


@dataclass(frozen=True)
class Together:
    """A direction along which errors within every element's tolerance do not explain the gap."""

    analytic: float
    numeric: float


@dataclass(frozen=True)
class Decision:
    """Per lane: the numbers, and which are wrong, which stay open.

    `resolution` is the relative error that the lane was certified to, infinite
    where it was not. `passed_over` lanes are too small to tell beside the others.
    `together` is what a direction through all of them showed to be wrong.
    `signal` is the largest derivative that was resolved.
    """

    found: Estimate
    failed: Bools
    undecided: Bools
    resolution: Floats
    passed_over: Bools
    signal: float
    tolerance: float
    single: bool = False
    together: Together | None = None

    @property
    def doubtful(self) -> Bools:
        """Lanes that have not passed."""
        return self.failed | self.undecided

    def take(self, which: Ints) -> Decision:
        """Some of the lanes."""
        lanes = ("failed", "undecided", "resolution", "passed_over")
        parts = {name: getattr(self, name)[which] for name in lanes}
        return replace(self, found=self.found.take(which), **parts)

    def join(self, other: Decision) -> Decision:
        """More lanes of the same gradient."""
        lanes = ("failed", "undecided", "resolution", "passed_over")
        parts = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in lanes
        }
        return replace(
            self,
            found=self.found.join(other.found),
            together=self.together or other.together,
            signal=max(self.signal, other.signal),
            tolerance=max(self.tolerance, other.tolerance),
            single=self.single or other.single,
            **parts,
        )


def decide(
    sample: Sampler,
    lanes: Lanes,
    claims: Claims,
    doubts: Doubts,
    *,
    shared_noise: bool,
    thorough: bool = True,
) -> Decision:
    """Decide all lanes, at no more cost than each of them needs.

    Unless `thorough`, lanes that stay open are not looked at a second time.
    """
    accepted = accept_first(sample, lanes, claims.analytic, claims.tolerance * claims.norm)
    found = _begin(accepted)
    rest = np.flatnonzero(~accepted.agreed & ~accepted.flat)
    if len(rest):
        found = found.put(
            rest, _climb(ROMBERG, sample, lanes, claims, rest, shared_noise, accepted.lower)
        )
    judged = _judge(found, claims, accepted.agreed)
    if not (judged.resolution <= claims.tolerance).all() and doubts.single():
        claims = claims.in_single_precision()
        judged = replace(_judge(found, claims, accepted.agreed), single=True)
    doubtful = np.flatnonzero(judged.failed | (thorough & _almost_resolved(judged, claims)))
    if len(doubtful):
        second = _climb(STENCIL, sample, lanes, claims, doubtful, shared_noise, accepted.lower)
        found = found.put(doubtful, _second_opinion(judged, claims, doubtful, second))
        judged = replace(_judge(found, claims, accepted.agreed), single=judged.single)
    return _forgive_rounding(judged, claims, doubts)


def _begin(accepted: Accepted) -> Estimate:
    """Lanes that did not respond to any step count as zero; unknown ones as NaN."""
    nothing = np.zeros(len(accepted.value))
    return Estimate(
        value=np.where(accepted.flat, 0.0, accepted.value),
        error=np.where(accepted.flat, 0.0, accepted.error),
        jump=nothing,
        quiet=accepted.flat,
        floor=nothing,
        step=np.full(len(nothing), np.nan),
    )


def _climb(
    rule: Rule,
    sample: Sampler,
    lanes: Lanes,
    claims: Claims,
    which: Ints,
    shared_noise: bool,
    lower: Ints,
) -> Estimate:
    def sample_these(chosen: Ints, steps: Floats) -> Pairs:
        return sample(which[chosen], steps)

    these, asked = Lanes(lanes.at[which], lanes.scale[which]), claims.take(which)
    claimed = np.abs(asked.analytic)
    part = asked.norm / np.where(claimed > asked.norm, claimed, np.maximum(asked.norm, 1e-300))
    wanted = GOAL * asked.tolerance * np.where(asked.elements, 1.0, part)
    return climb(rule, sample_these, these, wanted, shared_noise=shared_noise, lower=lower[which])


def _scale(found: Estimate, claims: Claims) -> Floats:
    """What a relative error is relative to."""
    numeric = np.fmax(np.abs(found.value), np.abs(found.jump) / 2.0)
    numeric = np.where(claims.elements | (claims.norm == 0.0), numeric, 0.0)
    scale: Floats = np.fmax(claims.norm, numeric)
    return scale


def _gap(found: Estimate, claims: Claims) -> Floats:
    """How far a claim lies from the derivative, or from the nearest one-sided one."""
    gap: Floats = np.abs(claims.analytic - found.value) - np.abs(found.jump) / 2.0
    return np.maximum(gap, 0.0)


def _judge(found: Estimate, claims: Claims, agreed: Bools) -> Decision:
    """Judge each lane by its own error estimate.

    An unresolved element is passed over only beside resolved ones that are
    1 / negligible times larger than its error, or where the function does not
    respond to it at all and the gradient says 0.
    """
    error = SAFETY * found.error
    with np.errstate(invalid="ignore", divide="ignore"):
        scale, gap = _scale(found, claims), _gap(found, claims)
        failed = ~agreed & np.isfinite(error) & (gap > error + claims.tolerance * scale)
        resolved = agreed | (~failed & (scale > 0.0) & (error <= claims.resolution * scale))
        certified = np.where(resolved & (scale > 0.0), (gap + error) / scale, np.inf)
    largest = np.fmax(np.abs(found.value), np.abs(found.jump) / 2.0)
    signal = float(np.max(largest[resolved], initial=0.0))
    silent = found.quiet & (claims.analytic == 0.0) & (found.value == 0.0) & np.isfinite(error)
    excused = (error <= claims.negligible * signal) | (silent & (signal > 0.0))
    excused &= ~failed & ~resolved & claims.elements
    return Decision(
        found=found,
        failed=failed,
        undecided=~failed & ~resolved & ~excused,
        resolution=np.where(agreed, claims.tolerance, certified),
        passed_over=excused & ~silent,
        signal=signal,
        tolerance=float(np.max(claims.tolerance)),
    )


def _almost_resolved(judged: Decision, claims: Claims) -> Bools:
    """Open lanes that a somewhat better estimate may decide."""
    scale = np.fmax(_scale(judged.found, claims), judged.signal * claims.elements)
    near = SAFETY * judged.found.error <= IN_REACH * claims.resolution * scale
    open_lanes: Bools = judged.undecided & (near | ~np.isfinite(judged.found.error))
    return open_lanes


def _second_opinion(first: Decision, claims: Claims, lanes: Ints, second: Estimate) -> Estimate:
    """Of two estimates the better one; where it alone rejects, with an error that does not."""
    some, mine = claims.take(lanes), first.found.take(lanes)
    alone = np.zeros(len(lanes), dtype=np.bool_)
    rejected, also = first.failed[lanes], _judge(second, some, alone).failed
    better = second.error < mine.error
    chosen = mine.put(np.flatnonzero(better), second.take(np.flatnonzero(better)))
    split = np.where(better, also & ~rejected, rejected & ~also)
    doubt = np.maximum(_gap(chosen, some), some.resolution * _scale(chosen, some))
    return replace(chosen, error=np.where(split, np.fmax(chosen.error, doubt), chosen.error))


def _forgive_rounding(judged: Decision, claims: Claims, doubts: Doubts) -> Decision:
    """What the gradient's own rounding explains is no mistake.

    sigmoid(30) - 1 is right to three digits only, however right its formula is.
    Such an element is open unless those digits are enough.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        gap, scale = _gap(judged.found, claims), _scale(judged.found, claims)
        small = judged.failed & claims.elements & (gap <= CANCELLED * max(1.0, judged.signal))
        if not small.any():
            return judged
        lost = (gap <= doubts.lost) & (gap > LEAST_LOST * scale)
        forgiven = small & (lost | (gap <= doubts.rounding()))
        passed = forgiven & (
            gap <= np.fmax(claims.resolution * scale, claims.negligible * judged.signal)
        )
        certified = np.where(passed, (gap + SAFETY * judged.found.error) / scale, judged.resolution)
    return replace(
        judged,
        failed=judged.failed & ~forgiven,
        undecided=judged.undecided | (forgiven & ~passed),
        resolution=certified,
    )
