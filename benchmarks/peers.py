"""The gradient checks that ours is compared with, each with its own step and default threshold.

All are asked the same: does it refuse this gradient? With `tolerance` its own
relative threshold is replaced. A peer whose package is missing says how to get it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.checks.gradients.checking import check_derivative, check_gradient
from grader.records import CheckStatus

Function = Callable[[Any], Any]
TINY = 1e-300


class Counted:
    """A function that counts its calls."""

    def __init__(self, f: Function) -> None:
        self.f, self.calls = f, 0

    def __call__(self, x: Any) -> Any:
        """The function's result."""
        self.calls += 1
        return self.f(x)


@dataclass(frozen=True)
class Checker:
    """`refuses(f, grad, x, tolerance)` says whether the gradient is called wrong."""

    name: str
    refuses: Callable[[Function, Function, Any, float | None], bool]
    install: str = ""
    missing: bool = False


def ours(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """Failed; what is inconclusive is counted apart."""
    return verdict(f, grad, x, tolerance) is CheckStatus.FAILED


def verdict(
    f: Function, grad: Function, x: Any, tolerance: float | None, *, elementwise: bool = False
) -> CheckStatus:
    """What nn-grader says."""
    check = check_derivative if elementwise else check_gradient
    return check(f, grad, at=x, raises=False, relative_tolerance=tolerance or 1e-7).status


def scipy_check_grad(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """scipy.optimize.check_grad: forward differences, the norm of the error."""
    from scipy.optimize import check_grad

    shape, x = np.shape(x), np.asarray(x, float)
    g = lambda v: np.asarray(grad(v.reshape(shape))).ravel()  # noqa: E731
    error = check_grad(lambda v: f(v.reshape(shape)), g, x.ravel())
    return not error < (1e-5 if tolerance is None else tolerance * np.linalg.norm(g(x.ravel())))


def scipy_check_derivative(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """3-point differences as in scipy.optimize, error relative to max(1, |n|), below 1e-6."""
    from scipy.optimize._numdiff import check_derivative as check

    shape, x = np.shape(x), np.asarray(x, float)
    g = lambda v: np.asarray(grad(v.reshape(shape))).ravel()  # noqa: E731
    return not check(lambda v: f(v.reshape(shape)), g, x.ravel()) < (tolerance or 1e-6)


def scipy_differentiate(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """scipy.differentiate.derivative along each axis."""
    from scipy.differentiate import derivative

    x, tolerance = np.array(x, float), tolerance or 1.5e-8

    def slope(index: int) -> float:
        def along(values: Any) -> Any:
            return np.array([f(_moved(x, index, v)) for v in np.ravel(values)]).reshape(
                np.shape(values)
            )

        step = 0.5 * max(abs(x.flat[index]), 0.1)
        return float(
            derivative(
                along, x.flat[index], initial_step=step, tolerances={"rtol": tolerance / 10}
            ).df
        )

    return _relative(grad(x), [slope(i) for i in range(x.size)], tolerance)


def torch_gradcheck(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """torch.autograd.gradcheck with its defaults (eps 1e-6, atol 1e-5, rtol 1e-3)."""
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.tensor(float(f(x.detach().numpy().copy())), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            (x,) = ctx.saved_tensors
            return upstream * torch.as_tensor(np.asarray(grad(x.detach().numpy().copy()), float))

    given = torch.tensor(np.asarray(x, float), requires_grad=True)
    bounds = {} if tolerance is None else {"rtol": tolerance, "atol": tolerance}
    return not torch.autograd.gradcheck(Wrapped.apply, (given,), raise_exception=False, **bounds)


def jax_check_grads(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """jax.test_util.check_vjp: one random direction, two evaluations."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_vjp

    x = np.asarray(x, float)

    def vjp(v: Any) -> Any:
        return np.asarray(f(np.array(v))), lambda u: (np.asarray(u * grad(np.array(v))),)

    bounds = {} if tolerance is None else {"rtol": tolerance, "atol": tolerance}
    try:
        check_vjp(lambda v: np.asarray(f(np.array(v))), vjp, (x,), **bounds)
    except AssertionError:
        return True
    return False


def numdifftools_gradient(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """numdifftools.Gradient, error relative to each element, below 1e-8."""
    import numdifftools

    x = np.asarray(x, float)
    found = numdifftools.Gradient(lambda v: f(v.reshape(x.shape)))(x.ravel())
    return _relative(grad(x), np.ravel(found), tolerance or 1e-8)


def cs231n(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """Central differences with h = 1e-5; max |a - n| / max(1e-8, |a| + |n|) below 1e-7."""
    x = np.array(x, float)
    numeric = np.array(
        [(f(_shift(x, i, 1e-5)) - f(_shift(x, i, -1e-5))) / 2e-5 for i in range(x.size)]
    )
    analytic = np.ravel(grad(x))
    errors = np.abs(analytic - numeric) / np.maximum(1e-8, np.abs(analytic) + np.abs(numeric))
    return not errors.max() <= (tolerance or 1e-7)


def hinton(f: Function, grad: Function, x: Any, tolerance: float | None) -> bool:
    """The 8-point stencil with h = 1e-2; wrong where absolute and relative error exceed 1e-5."""
    x, h = np.array(x, float), 1e-2
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    numeric = np.array(
        [
            sum(w * (f(_shift(x, i, k * h)) - f(_shift(x, i, -k * h))) for k, w in weights.items())
            / h
            for i in range(x.size)
        ]
    )
    analytic, bound = np.ravel(grad(x)), tolerance or 1e-5
    gap = np.abs(analytic - numeric)
    scale = np.maximum(np.abs(analytic) + np.abs(numeric), TINY)
    return bool(((gap > (bound if tolerance is None else 0.0)) & (gap / scale > bound)).any())


def _relative(analytic: Any, numeric: Any, tolerance: float) -> bool:
    a, n = np.ravel(analytic), np.ravel(numeric)
    return not bool((np.abs(a - n) <= tolerance * np.maximum(np.abs(a), np.abs(n))).all())


def _shift(x: Any, index: int, step: float) -> Any:
    return _moved(x, index, x.flat[index] + step)


def _moved(x: Any, index: int, value: float) -> Any:
    moved = x.copy()
    moved.flat[index] = value
    return moved


def asked(
    checker: Checker, f: Function, grad: Function, x: Any, tolerance: float | None = None
) -> bool:
    """Whether the checker refuses; an exception of its own is a refusal too."""
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            return checker.refuses(f, grad, x, tolerance)
        except Exception:  # noqa: BLE001
            return True


def _checker(name: str, refuses: Any, package: str = "", install: str = "") -> Checker:
    missing = bool(package) and importlib.util.find_spec(package) is None
    return Checker(name, refuses, install, missing)


CHECKERS = [
    _checker("nn-grader", ours),
    _checker("scipy check_grad", scipy_check_grad),
    _checker("scipy check_derivative", scipy_check_derivative),
    _checker(
        "scipy.differentiate",
        scipy_differentiate,
        "scipy.differentiate",
        "pip install 'scipy>=1.15'",
    ),
    _checker("torch gradcheck", torch_gradcheck, "torch", "pip install torch"),
    _checker("jax check_vjp", jax_check_grads, "jax", "pip install jax"),
    _checker("numdifftools", numdifftools_gradient, "numdifftools", "pip install numdifftools"),
    _checker("CS231n, h = 1e-5", cs231n),
    _checker("Hinton, h = 1e-2", hinton),
]
