"""The ladder of steps: derivatives that are right, and errors that are admitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.gradients.stencil import Estimate, Pairs, estimate

GOAL = 1e-9
SAFETY = 4.0


def differentiate(f: Callable[[np.ndarray], np.ndarray], x: list[float]) -> Estimate:
    """The derivatives of an elementwise function, lane by lane."""
    at = np.array(x)

    def sample(lanes: np.ndarray, steps: np.ndarray) -> Pairs:
        centre = at[lanes][:, None]
        with np.errstate(all="ignore"):
            plus, minus, base = f(centre + steps), f(centre - steps), f(centre)
            even = (plus - base) + (minus - base)
        return Pairs(plus - minus, even, np.maximum(np.abs(plus), np.abs(minus)))

    return estimate(sample, at, GOAL, shared_noise=False)


SMOOTH = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "fast": (lambda x: np.sin(1e3 * x), lambda x: 1e3 * np.cos(1e3 * x)),
    "offset": (lambda x: 1e6 + np.tanh(x), lambda x: 1 / np.cosh(x) ** 2),
    "cancelling": (lambda x: (1e6 + np.tanh(x)) - 1e6, lambda x: 1 / np.cosh(x) ** 2),
    "periodic": (lambda x: np.sin(2 * np.pi * x), lambda x: 2 * np.pi * np.cos(2 * np.pi * x)),
    "step": (lambda x: np.tanh(x / 1e-4), lambda x: 1e4 * (1 - np.tanh(x / 1e-4) ** 2)),
}


@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=st.floats(1e-6, 5.0))
def test_the_true_derivative_lies_within_the_error(name: str, x: float) -> None:
    """Four error estimates cover the difference from the closed form."""
    f, df = SMOOTH[name]
    found = differentiate(f, [x])
    true = df(np.array([x]))
    rounding = 1e-12 * np.abs(true) + 1e-300
    assert np.all(np.abs(found.value - true) <= SAFETY * found.error + rounding)


def test_benign_derivatives_are_precise() -> None:
    """A smooth function of order one is known to twelve digits, in one stage."""
    found = differentiate(np.sin, [0.3, 0.7, -1.1])
    assert np.all(found.error < 1e-12)
    assert np.all(np.abs(found.value - np.cos([0.3, 0.7, -1.1])) < 1e-12)
    assert not found.jump.any()


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-9])
def test_a_border_of_the_domain_is_left_behind(gap: float) -> None:
    """Where large steps leave the domain, small ones are taken."""
    found = differentiate(lambda x: np.log(1 - x), [1 - gap])
    assert found.error[0] < 1e-5 / gap
    assert found.value[0] == pytest.approx(-1 / (1 - (1 - gap)), rel=1e-4)


def test_no_finite_value_is_admitted() -> None:
    """A lane without any finite step has an infinite error."""
    found = differentiate(lambda x: np.where(x == 1.0, 1.0, np.nan), [1.0])
    assert np.isinf(found.error[0])


@pytest.mark.parametrize("slopes", [(0.0, 1.0), (-1.0, 1.0), (0.01, 1.0), (3.0, -2.0)])
def test_a_kink_at_the_point_is_recognised(slopes: tuple[float, float]) -> None:
    """The width of a kink and its mean slope are both found."""
    left, right = slopes
    found = differentiate(lambda x: np.where(x > 0, right * x, left * x), [0.0, 1.0])
    assert found.jump[0] == pytest.approx(abs(right - left), rel=1e-6)
    assert found.value[0] == pytest.approx((left + right) / 2, abs=1e-6)
    assert found.jump[1] == 0.0


@settings(max_examples=150, deadline=None, derandomize=True)
@given(exponent=st.floats(-16, 0), side=st.sampled_from([-1.0, 1.0]), slope=st.floats(-3, 3))
def test_a_kink_beside_the_point_is_never_certain_and_wrong(
    exponent: float, side: float, slope: float
) -> None:
    """Near a kink the derivative is right, or lies between those of both sides."""
    at = side * 10.0**exponent
    found = differentiate(lambda x: np.sin(x) + slope * np.maximum(x, 0), [at, 1.0])
    true = np.cos(at) + slope * (at > 0)
    allowed = SAFETY * found.error[0] + found.jump[0] / 2 + 1e-12
    assert abs(found.value[0] - true) <= allowed


def test_a_silent_lane_is_quiet() -> None:
    """Where nothing changes the value, the lane says so and claims no precision."""
    found = differentiate(lambda x: np.log(1 + np.exp(x)), [-40.0, 1.0])
    assert found.quiet.tolist() == [True, False]
    assert SAFETY * found.error[0] > np.exp(-40)
