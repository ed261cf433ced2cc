"""Small pictures in SVG, coloured by the page's style sheet so that they suit dark pages too."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

from grader.records import GradientEvidence, Report

MAX_POINTS = 400
"""Points in one picture; more overlap anyway and make the page heavy."""

SIDE, LEFT, TOP = 200.0, 34.0, 10.0
"""The plot's side and its margins, in SVG units."""

UNEVEN = 1e-3
"""Median to maximum below which a linear axis would show a single dot and a heap."""

_Point = tuple[float, float]


def gradient_picture(evidence: GradientEvidence) -> str:
    """Return a scatter plot of analytic against numeric, or "" where nothing can be drawn.

    Correct elements lie on the diagonal and are dots, wrong ones are crosses.
    """
    finite = [point for point in evidence.points if all(map(math.isfinite, point))]
    if not finite:
        return ""
    shown = finite[:: math.ceil(len(finite) / MAX_POINTS)]
    position = _positions(shown)
    wrong = [_is_wrong(point, evidence.relative_tolerance) for point in shown]
    marks = "".join(map(_mark, shown, wrong, [position] * len(shown)))
    label = f"Analytic against numeric gradient: {sum(wrong)} of {len(shown)} lie off the diagonal."
    return (
        f'<svg class="scatter" viewBox="0 0 250 250" role="img" aria-label="{label}">'
        f"{_frame(shown)}{marks}</svg>"
    )


def score_bar(report: Report) -> str:
    """Return a bar of points earned, waiting and lost; its numbers stand beside it as text."""
    maximum = report.max_score
    if not (math.isfinite(maximum) and maximum > 0):
        return ""
    earned, pending = (_share(part, maximum) for part in (report.score, report.pending))
    return (
        '<svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rest" width="100" height="3"/>'
        f'<rect class="waiting" width="{min(100.0, earned + pending):.2f}" height="3"/>'
        f'<rect class="earned" width="{earned:.2f}" height="3"/></svg>'
    )


def _share(part: float, maximum: float) -> float:
    return min(100.0, max(0.0, 100 * part / maximum)) if math.isfinite(part) else 0.0


def _largest(points: Sequence[_Point]) -> float:
    return max(abs(value) for point in points for value in point) or 1.0


def _positions(points: Sequence[_Point]) -> Callable[[float], float]:
    """Return a map from a value to [0, 1], the same for both axes so that y = x is diagonal."""
    # Division by the largest value first: a difference of huge values overflows.
    largest = _largest(points)
    sizes = [abs(value / largest) for point in points for value in point if value]
    typical = max(median(sizes or [1.0]), 1e-12)

    def squeezed(value: float) -> float:
        return math.asinh(value / largest / typical) if typical < UNEVEN else value / largest

    places = [squeezed(value) for point in points for value in point]
    low, high = min(places), max(places)
    span = high - low
    return lambda value: (squeezed(value) - low) / span if span else 0.5


def _is_wrong(point: _Point, tolerance: float) -> bool:
    size = max(map(abs, point)) or 1.0
    analytic, numeric = point[0] / size, point[1] / size
    return not abs(analytic - numeric) <= tolerance


def _mark(point: _Point, wrong: bool, position: Callable[[float], float]) -> str:
    x, y = LEFT + SIDE * position(point[1]), TOP + SIDE * (1 - position(point[0]))
    if not wrong:
        return f'<circle class="right" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'
    return f'<path class="wrong" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>'


def _frame(points: Sequence[_Point]) -> str:
    values = [value for point in points for value in point]
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    bottom, right = TOP + SIDE, LEFT + SIDE
    return (
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>'
        f'<path class="diagonal" d="M{LEFT} {bottom}L{right} {TOP}"/>'
        f'<text x="{LEFT}" y="{bottom + 14}">{low}</text>'
        f'<text x="{right}" y="{bottom + 14}" text-anchor="end">{high}</text>'
        f'<text x="{LEFT + SIDE / 2}" y="{bottom + 28}" text-anchor="middle">numeric</text>'
        f'<text x="{LEFT - 10}" y="{TOP + SIDE / 2}" text-anchor="middle" '
        f'transform="rotate(-90 {LEFT - 10} {TOP + SIDE / 2})">analytic</text>'
    )
