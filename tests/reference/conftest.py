"""What the tests of the reference share."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Central differences of order eight: Fornberg, Generation of Finite Difference Formulas on
# Arbitrarily Spaced Grids (Math. Comp. 1988), table 1.
WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


@pytest.fixture(scope="session")
def numeric_gradient() -> Callable[..., FloatArray]:
    """A function (f, x) that differentiates the scalar f at x, element by element."""

    def gradient(f: Callable[[FloatArray], float], x: FloatArray, step: float = 0.01) -> FloatArray:
        result = np.zeros_like(x)
        for index in np.ndindex(*x.shape):
            for distance, weight in WEIGHTS.items():
                shift = np.zeros_like(x)
                shift[index] = distance * step
                result[index] += weight / step * (float(f(x + shift)) - float(f(x - shift)))
        return result

    return gradient


@pytest.fixture(scope="session")
def parameter_gradients(
    numeric_gradient: Callable[..., FloatArray],
) -> Callable[..., dict[str, FloatArray]]:
    """A function (f, parameters) that differentiates f for each array of the dictionary."""

    def gradients(
        f: Callable[[dict[str, FloatArray]], float], parameters: dict[str, FloatArray]
    ) -> dict[str, FloatArray]:
        def along(name: str) -> Callable[[FloatArray], float]:
            return lambda value: f({**parameters, name: value})

        return {
            name: numeric_gradient(along(name), value, step=1e-3)
            for name, value in parameters.items()
        }

    return gradients
