"""What a gradient check found, as its author and the report see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.records import CheckStatus, Diagnosis, GradientElement, GradientEvidence

Floats: TypeAlias = NDArray[np.float64]

WORST, POINTS = 8, 200
"""How many elements a report lists, and how many its picture shows."""


@dataclass(frozen=True, eq=False)
class NumericGradient:
    """A numeric gradient: `value` and `error_estimate` of the shape of the point."""

    value: Floats
    error_estimate: Floats
    evaluations: int


@dataclass(frozen=True, eq=False)
class GradientResult:
    """What a gradient check found; the arrays have the shape of the point.

    `analytic` is the student's (NaN where it could not be read), `numeric` the
    finite differences (NaN for an element of a large array that was not looked at
    by itself), `worst_index` the element that decided the verdict. `resolution`
    is the relative error that each element was certified to, infinite where
    it was not; for an element among many, the error that it could have alone.
    """

    status: CheckStatus
    analytic: Floats
    numeric: Floats
    error_estimate: Floats
    worst_index: tuple[int, ...] | None
    evaluations: int
    relative_tolerance: float
    message: str
    resolution: Floats
    diagnosis: Diagnosis | None = None

    @property
    def evidence(self) -> GradientEvidence:
        """The elements that a report shows; elements that are not finite are left out."""
        flat_a, flat_n = self.analytic.ravel(), self.numeric.ravel()
        finite = np.flatnonzero(np.isfinite(flat_a) & np.isfinite(flat_n))
        errors = relative_errors(flat_a, flat_n)
        order = finite[np.argsort(-errors[finite], kind="stable")]
        spread = np.unique(np.linspace(0, len(order) - 1, min(POINTS, len(order))).astype(int))
        return GradientEvidence(
            worst=tuple(self._element(int(i), float(errors[i])) for i in order[:WORST]),
            points=tuple((float(flat_a[i]), float(flat_n[i])) for i in order[spread]),
            relative_tolerance=self.relative_tolerance,
            evaluations=self.evaluations,
        )

    def _element(self, flat: int, error: float) -> GradientElement:
        index = unravel(flat, self.numeric.shape)
        return GradientElement(
            index, float(self.analytic[index]), float(self.numeric[index]), error
        )


class GradientCheckFailed(AssertionError):
    """A gradient is not that of the function; `result` holds the evidence."""

    def __init__(self, result: GradientResult) -> None:
        super().__init__(result.message)
        self.result = result


class GradientInconclusive(GradientCheckFailed):
    """The numbers decide neither way: no pass, but no proof of a mistake either."""


def relative_errors(analytic: Floats, numeric: Floats) -> Floats:
    """|a - n| / max(|a|, |n|), elementwise; 0 where both are 0 or one is not a number."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scale = np.maximum(np.abs(analytic), np.abs(numeric))
        errors = np.where(scale > 0.0, np.abs(analytic - numeric) / scale, 0.0)
    cleaned: Floats = np.where(np.isnan(errors), 0.0, errors)
    return cleaned


def unravel(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index in an array of this shape of its element number `flat`."""
    return tuple(int(i) for i in np.unravel_index(flat, shape))
