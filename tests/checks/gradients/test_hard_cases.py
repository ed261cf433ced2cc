"""Gradient checks where the numbers are hard to get: bad regimes, borders, noise, many elements."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.checks import DiagnosisContext, numeric_gradient
from grader.checks.gradients.checking import GradientResult, check_derivative, check_gradient
from grader.errors import StudentRaised, StudentTimeout
from grader.records import CheckStatus

PASSED, FAILED = CheckStatus.PASSED, CheckStatus.FAILED
INCONCLUSIVE = CheckStatus.INCONCLUSIVE
AT = np.array([0.3, -1.2, 0.7])
CASES = Path(__file__).parents[3] / "benchmarks" / "gradient_cases.py"

Function = Callable[[Any], Any]


def load_cases() -> Any:
    """The generator that the benchmark draws from."""
    spec = importlib.util.spec_from_file_location("gradient_cases", CASES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gradient_cases"] = module
    spec.loader.exec_module(module)
    return module


cases = load_cases()


def judge(f: Function, grad: Function, at: Any = AT, **rules: Any) -> GradientResult:
    """A gradient check that returns its verdict."""
    return check_gradient(f, grad, at=at, raises=False, **rules)


@pytest.mark.parametrize("regime", cases.REGIMES)
@pytest.mark.parametrize("tolerance", [1e-7, 2.5e-9])
def test_right_gradients_never_fail_and_wrong_ones_never_pass(
    regime: str, tolerance: float
) -> None:
    """In all regimes; a factor of 1.001 is found wherever a verdict is given."""
    for seed in range(15):
        case = cases.draw(regime, np.random.default_rng([seed, 99]), cases.KINDS[seed % 5])
        result = judge(case.f, case.grad, case.x, relative_tolerance=tolerance)
        assert result.status is not FAILED, result.message
        wrong = judge(
            case.f, lambda x, c=case: 1.001 * c.grad(x), case.x, relative_tolerance=tolerance
        )
        assert wrong.status is not PASSED, wrong.message


@pytest.mark.parametrize("regime", cases.REGIMES[:1])
def test_benign_gradients_are_cheap_and_sharp(regime: str) -> None:
    """At most 6 evaluations an element to pass; a factor of 1 + 1e-10 is found if asked for."""
    for seed in range(20):
        case = cases.draw(regime, np.random.default_rng(seed), cases.KINDS[seed % 5])
        result = judge(case.f, case.grad, case.x)
        assert result.status is PASSED
        assert result.evaluations <= 6 * case.x.size + 3
        assert result.resolution.max() <= 1e-7
        wrong = lambda x, c=case: (1 + 1e-10) * c.grad(x)  # noqa: E731
        assert judge(case.f, wrong, case.x, relative_tolerance=2e-11).status is FAILED


def test_forgotten_decay_is_found() -> None:
    """A weight decay of 1e-7 that the gradient forgets fails it."""
    for seed in range(20):
        case, forgetful = cases.with_decay(seed, 1e-7)
        assert judge(case.f, case.grad, case.x).status is PASSED
        assert judge(case.f, forgetful, case.x).status is FAILED


def test_noise_that_hides_elements_does_not_hide_their_sum() -> None:
    """Where no element is known to the tolerance, all of them together may be."""
    rng = np.random.default_rng(0)
    w = rng.uniform(1, 2, 200)
    f = lambda x: np.sum(np.sin(x) * w) + 1e8  # noqa: E731
    x = rng.normal(size=200)
    right = judge(f, lambda x: np.cos(x) * w, x)
    assert right.status is PASSED
    assert right.resolution.max() > 1e-7
    wrong = judge(f, lambda x: np.cos(x) * w * (1 + 1e-6), x)
    assert wrong.status is FAILED
    assert "wrong in the sum over 200 elements" in wrong.message


def test_a_gradient_that_cancels_is_forgiven_its_rounding() -> None:
    """sigmoid(30) - 1 has three digits left; an exact loss must not blame it."""
    loss = lambda z: float(np.log1p(np.exp(-z[0])))  # noqa: E731
    for z in (30.0, 33.0, 45.0):
        result = judge(loss, lambda z: 1 / (1 + np.exp(-z)) - 1, np.array([z]))
        assert result.status is not FAILED, result.message
        assert judge(loss, lambda z: 1 - 1 / (1 + np.exp(-z)), np.array([z])).status is not PASSED


def dropout(rng: Any) -> tuple[Function, Function]:
    """A loss behind dropout, and its gradient, which draws the same mask."""

    def mask(x: np.ndarray) -> np.ndarray:
        return np.array([rng.random() for _ in range(x.size)]) > 0.3

    return (lambda x: np.sum(np.sin(x) * mask(x))), (lambda x: np.cos(x) * mask(x))


class OfAnObject:
    """A layer that keeps its generator."""

    def __init__(self) -> None:
        self.parts = {"rng": np.random.default_rng(3)}

    def random(self) -> float:
        """A number in [0, 1)."""
        return float(self.parts["rng"].random())


class OfNumpy:
    """NumPy's global state."""

    @staticmethod
    def random() -> float:
        """A number in [0, 1)."""
        return float(np.random.rand())  # noqa: NPY002


GENERATORS = [
    np.random.default_rng(0),
    np.random.RandomState(0),
    random.Random(0),
    random,
    OfNumpy(),
    OfAnObject(),
]


@pytest.mark.parametrize("rng", GENERATORS)
def test_random_numbers_are_repeated(rng: Any) -> None:
    """Dropout passes and fails as other layers do, and the report names it."""
    f, grad = dropout(rng)
    result = judge(f, grad, np.linspace(0.1, 1, 9))
    assert result.status is PASSED
    assert "draws random numbers, which were repeated" in result.message
    assert judge(f, lambda x: 1.1 * grad(x), np.linspace(0.1, 1, 9)).status is FAILED


def test_random_numbers_alone_prove_nothing() -> None:
    """A function that does not depend on x is undecided, whatever the gradient."""
    rng = np.random.default_rng(0)
    for grad in (lambda x: x, lambda x: 0 * x):
        assert judge(lambda x: rng.random(), grad).status is INCONCLUSIVE


def strict_log(p: np.ndarray) -> Any:
    """A loss that refuses what is no probability."""
    assert ((p > 0) & (p < 1)).all()
    return -np.sum(np.log(p))


@pytest.mark.parametrize("gap", [0.3, 1e-3, 1e-6])
def test_a_function_that_raises_beside_the_point_ends_its_domain(gap: float) -> None:
    """Smaller steps are taken; right passes, wrong fails."""
    p = np.array([0.5, 1 - gap, gap])
    assert judge(strict_log, lambda p: -1 / p, p).status is PASSED
    assert judge(strict_log, lambda p: -1.01 / p, p).status is FAILED
    with pytest.raises(AssertionError):
        judge(strict_log, lambda p: -1 / p, 1 + p)


class Remote:
    """A student's function: one message for many points, one exception for all of them."""

    def __init__(self, f: Function, error: Exception) -> None:
        self.f, self.error, self.messages = f, error, 0

    def __call__(self, x: Any) -> Any:
        """The result at one point."""
        return self.map([x])[0]

    def map(self, points: list[Any]) -> list[Any]:
        """All results, or none."""
        self.messages += 1
        try:
            return [self.f(x) for x in points]
        except AssertionError:
            raise self.error from None


def test_a_batch_that_raises_is_halved() -> None:
    """The points inside the domain are not lost."""
    raised = StudentRaised("your code raised AssertionError", "AssertionError")
    p = np.array([0.5, 0.2, 1 - 1e-3])
    remote = Remote(strict_log, raised)
    assert judge(remote, lambda p: -1 / p, p).status is PASSED
    assert remote.messages < 40
    late = Remote(strict_log, StudentTimeout("no answer in 10 s"))
    with pytest.raises(StudentTimeout):
        judge(late, lambda p: -1 / p, p)


def test_a_function_that_only_raises_beside_the_point_is_undecided() -> None:
    """And the message says what it raised."""

    def f(x: np.ndarray) -> float:
        if not np.array_equal(x, AT):
            raise IndexError("too many indices")
        return 1.0

    result = judge(f, lambda x: x)
    assert result.status is INCONCLUSIVE
    assert "not finite close to the point (it raised IndexError: too many indices)" in (
        result.message
    )


def test_single_precision_is_named() -> None:
    """Errors that float32 cannot show are no pass to the default tolerance."""
    f = lambda x: np.sum(np.tanh(np.float32(x)) ** 3)  # noqa: E731
    grad = lambda x: 3 * np.tanh(np.float32(x)) ** 2 / np.cosh(np.float32(x)) ** 2  # noqa: E731
    result = judge(f, grad, np.linspace(-1, 1, 6))
    assert result.status is PASSED
    assert "computed in float32" in result.message
    wrong = judge(f, lambda x: grad(x) * np.float32(1.02), np.linspace(-1, 1, 6))
    assert wrong.status is FAILED


@pytest.mark.parametrize(
    ("f", "grad", "says"),
    [
        (lambda x: np.array([np.sum(x)]), lambda x: np.ones(3), "result has shape (1,)"),
        (np.sum, lambda x: np.ones(3, int), "its dtype is int64"),
        (np.sum, lambda x: np.ones((1, 3)), "its shape is (1, 3)"),
    ],
)
def test_unusual_forms_are_accepted_and_named(f: Function, grad: Function, says: str) -> None:
    """The report says what was taken for what was meant."""
    result = judge(f, grad)
    assert result.status is PASSED
    assert says in result.message


STUBS: list[Function] = [lambda x: 0 * x, lambda x: 0 * x + 1, lambda x: None, lambda x: 0.0]


@pytest.mark.parametrize("grad", STUBS)
@pytest.mark.parametrize(
    "f", [lambda x: 0.0, lambda x: 1.0, lambda x: None, lambda x: np.sum(x**2)]
)
@pytest.mark.parametrize("size", [3, 2000])
def test_stubs_never_pass(f: Function, grad: Function, size: int) -> None:
    """Zeros, constants and None prove nothing."""
    assert judge(f, grad, np.linspace(0.5, 1.5, size)).status is not PASSED


def test_stubs_of_derivatives_never_pass() -> None:
    """Elementwise ones neither."""
    for f, df in ((lambda x: 0 * x, lambda x: 0 * x), (lambda x: x**2, lambda x: 0 * x)):
        assert check_derivative(f, df, at=AT, raises=False).status is not PASSED


@pytest.mark.parametrize("size", [3000, 50_000])
def test_many_elements_cost_little(size: int) -> None:
    """A right gradient passes in a few directions."""
    case = cases.large(size, np.random.default_rng(size))
    result = judge(case.f, case.grad, case.x)
    assert result.status is PASSED
    assert result.evaluations <= 200
    assert "3 directions" in result.message
    assert np.isnan(result.numeric).sum() == size - 8


@pytest.mark.parametrize("error", [1e-2, 1e-4])
def test_one_wrong_element_among_many_is_found(error: float) -> None:
    """Halving finds which one, and names it."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        case = cases.large(20_000, rng)
        bad = int(rng.integers(20_000))
        factor = np.ones(20_000)
        factor[bad] += error
        result = judge(case.f, lambda x, c=case, k=factor: c.grad(x) * k, case.x)
        assert result.status is FAILED
        assert result.worst_index == (bad,)
        assert result.evaluations <= 600


def test_swapped_elements_among_many_are_found() -> None:
    """Plus and minus ones would miss them half the time."""
    case = cases.large(5000, np.random.default_rng(5))

    def swapped(x: np.ndarray) -> np.ndarray:
        grad = case.grad(x)
        grad[[17, 4000]] = grad[[4000, 17]]
        return grad

    result = judge(case.f, swapped, case.x)
    assert result.status is FAILED
    assert result.worst_index in {(17,), (4000,)}


def test_forgotten_decay_among_many_is_found() -> None:
    """The direction of the weights shows it."""
    case = cases.large(5000, np.random.default_rng(6))
    f = lambda x: case.f(x) + 0.5e-7 * np.sum(x * x)  # noqa: E731
    assert judge(f, case.grad, case.x).status is FAILED


def test_large_arrays_travel_in_small_messages() -> None:
    """No message carries more than 16 MB of points."""
    sizes = []

    class Counting:
        def __call__(self, x: Any) -> Any:
            return np.sum(x**2)

        def map(self, points: list[Any]) -> list[Any]:
            sizes.append(sum(p.nbytes for p in points))
            return [self(p) for p in points]

    x = np.random.default_rng(0).normal(size=300_000)
    assert judge(Counting(), lambda x: 2 * x, x).status is PASSED
    assert max(sizes) <= 1 << 24


def test_a_mean_over_directions_hears_what_noise_hides() -> None:
    """Beside an offset of 1e6 a factor of 1 + 1e-8 is found, and the right gradient passes."""
    case = cases.draw("offset of 1e6", np.random.default_rng(2), "softmax")
    wrong = lambda x: (1 + 1e-8) * case.grad(x)  # noqa: E731
    result = judge(case.f, wrong, case.x, relative_tolerance=1e-9)
    assert result.status is FAILED
    assert "in the sum" in result.message
    assert judge(case.f, case.grad, case.x, relative_tolerance=1e-9).status is PASSED


@pytest.mark.parametrize("regime", ["near 0 and 1", "kinks near", "offset of 1e6"])
def test_hard_gradients_cost_no_more_than_forty(regime: str) -> None:
    """Forty evaluations an element are enough where borders, kinks or noise hinder."""
    for seed in range(20):
        case = cases.draw(regime, np.random.default_rng(seed), cases.KINDS[seed % 5])
        assert judge(case.f, case.grad, case.x).evaluations <= 40 * case.x.size


def test_a_border_costs_no_more_than_sixty_calls_elementwise() -> None:
    """All elements together, the one at 1e-6 from the border included."""
    at = np.array([0.5, 1e-6, 1 - 1e-6, 0.2])
    result = check_derivative(
        lambda p: -np.log(p) - np.log1p(-p), lambda p: 1 / (1 - p) - 1 / p, at=at
    )
    assert result.evaluations <= 60


def test_a_small_factor_is_found_in_single_precision() -> None:
    """0.1 % is too little for one element of float32 code, and enough for their sum."""
    f = lambda x: np.sum(np.sin(np.float32(x)))  # noqa: E731
    wrong = lambda x: np.float32(1.001) * np.cos(np.float32(x))  # noqa: E731
    assert judge(f, wrong).status is FAILED
    assert judge(f, lambda x: np.cos(np.float32(x))).status is PASSED


def test_stairs_of_single_precision_are_no_kinks() -> None:
    """A float32 network with ReLU is never refused, and twice its gradient never passed."""
    single = np.float32
    for seed in range(3):
        rng = np.random.default_rng(seed)
        inputs, v = single(rng.normal(size=(7, 5))), single(rng.normal(size=3))

        def f(w: Any, inputs: Any = inputs, v: Any = v) -> Any:
            hidden = np.maximum(inputs @ single(w), 0)
            return np.mean(np.logaddexp(single(0), hidden @ v))

        def grad(w: Any, inputs: Any = inputs, v: Any = v) -> Any:
            z = inputs @ single(w)
            slope = 1 / (1 + np.exp(-(np.maximum(z, 0) @ v))) / single(7)
            return inputs.T @ (np.outer(slope, v) * (z > 0))

        at = rng.normal(size=(5, 3))
        assert judge(f, grad, at).status is not FAILED
        assert judge(f, lambda w, g=grad: 2 * g(w), at).status is FAILED


def test_small_mistakes_are_named() -> None:
    """A forgotten weight decay of 1e-6 has its name, by numbers closer than a verdict's."""
    case, forgetful = cases.with_decay(3, 1e-6)
    context = DiagnosisContext(parameters=case.x, weight_decay=1e-6, is_bias=False)
    result = judge(case.f, forgetful, case.x, context=context)
    assert result.diagnosis is not None
    assert result.diagnosis.code == "weight_decay_missing"


def test_elements_that_were_not_looked_at_stay_out_of_evidence_and_diagnosis() -> None:
    """Of many elements only those differentiated by themselves are drawn, and they name the bug."""
    case = cases.large(2000, np.random.default_rng(1))
    result = judge(case.f, lambda x: -case.grad(x), case.x)
    known = int(np.isfinite(result.numeric).sum())
    assert 0 < known < 100
    evidence = result.evidence
    assert len(evidence.points) == known
    assert np.isfinite(np.array(evidence.points)).all()
    assert all(np.isfinite([e.analytic, e.numeric]).all() for e in evidence.worst)
    assert result.diagnosis is not None
    assert result.diagnosis.code == "sign"


@pytest.mark.parametrize("gap", [1e-4, 1e-9, 1e-13])
def test_the_flat_side_of_a_kink_is_decided(gap: float) -> None:
    """A ReLU just below 0 has the slope 0, however near its kink is."""
    weights = np.array([0.3, -1.2, 0.7])
    f = lambda x: np.sum(np.maximum(x, 0) * weights)  # noqa: E731
    assert judge(f, lambda x: weights * (x > 0), [gap, -gap, 1.0]).status is PASSED


def test_a_kink_that_only_the_largest_step_reaches_leaves_the_flat_side_flat() -> None:
    """A ReLU's numeric gradient is exactly 0 where no smaller step changes anything."""
    at = np.array([-0.46, -0.3, 0.7, -1.2, 2.0])
    found = numeric_gradient(lambda x: np.sum(np.maximum(x, 0) * np.arange(1.0, 6.0)), at)
    assert np.abs(found.value - [0, 0, 3, 0, 5]).max() < 1e-10
    assert found.error_estimate.max() < 1e-9
