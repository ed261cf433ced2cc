"""Every element's derivative, to the last digit that the function gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.checks.gradients.calling import SampledFunction
from grader.checks.gradients.deciding import GOAL
from grader.checks.gradients.ladder import Estimate, Lanes, climb
from grader.checks.gradients.sampling import elementwise_sampler, line_sampler
from grader.checks.gradients.stencil import STENCIL


def differentiate(
    function: SampledFunction, centre: NDArray[np.float64], tolerance: float
) -> Estimate:
    """Differentiate around the point, where the function's flat result is `centre`."""
    x = function.point.x.reshape(-1)
    if function.elementwise:
        sampler = elementwise_sampler(function, centre)
    else:
        sampler = line_sampler(function, centre, range(x.size))
    shared, wanted = not function.elementwise, np.full(x.size, GOAL * tolerance)
    return climb(STENCIL, sampler, Lanes.along_axes(x), wanted, shared_noise=shared)
