"""Small pictures in SVG, coloured by the page's style sheet so that they suit dark pages too."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from grader.records import GradientEvidence, Report
from grader.reports.wording import number

MAX_POINTS = 400
"""Points in one picture; more overlap anyway and make the page heavy."""

SIDE, LEFT, TOP = 200.0, 34.0, 10.0
"""The plot's side and its margins, in SVG units."""

CHART_LEFT, CHART_WIDTH, CHART_BOTTOM, CHART_HEIGHT = 30.0, 318.0, 146.0, 134.0
"""Where a histogram's bars stand, in SVG units."""

MOST_TICKS = 5
"""Labels on its axis, besides the first; more run into each other on a phone."""

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


def share_bar(share: float) -> str:
    """Return a bar of a share in [0, 1]; its number stands beside it as text."""
    return (
        '<svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rest" width="100" height="3"/>'
        f'<rect class="earned" width="{_share(share, 1.0):.2f}" height="3"/></svg>'
    )


def histogram(edges: Sequence[float], final: Sequence[int], pending: Sequence[int]) -> str:
    """Return bars over bins with these edges: `final` counts, and `pending` ones upon them.

    It is one picture for a screen reader; a table has to stand beside it.
    """
    highest = max(1, *(a + b for a, b in zip(final, pending, strict=True)))
    bars = zip(pairwise(edges), final, pending, strict=True)
    drawn = "".join(_stack(range_, a, b, highest, edges[-1]) for range_, a, b in bars)
    most = max(range(len(final)), key=lambda place: final[place] + pending[place])
    return (
        '<svg class="histogram" viewBox="0 0 360 180" role="img" '
        'aria-labelledby="histogram-title histogram-description">'
        '<title id="histogram-title">Distribution of scores</title>'
        '<desc id="histogram-description">'
        f"{sum(final) + sum(pending)} submissions in {len(final)} ranges of points from 0 to "
        f"{number(edges[-1])}; most of them, {highest}, have from {number(edges[most])} to "
        f"{number(edges[most + 1])} points.</desc>"
        f"{_grid(highest)}{drawn}{_ticks(edges)}</svg>"
    )


def _stack(range_: tuple[float, float], final: int, pending: int, highest: int, end: float) -> str:
    low, high = (CHART_LEFT + CHART_WIDTH * edge / end for edge in range_)
    lower, upper = (CHART_HEIGHT * count / highest for count in (final, pending))
    label = f"{number(range_[0])} to {number(range_[1])} points: {final + pending}"
    place = f'x="{low + 0.75:.2f}" width="{high - low - 1.5:.2f}"'
    return (
        f"<g><title>{label}</title>"
        f'<rect class="earned" {place} y="{CHART_BOTTOM - lower:.2f}" height="{lower:.2f}"/>'
        f'<rect class="waiting" {place} y="{CHART_BOTTOM - lower - upper:.2f}" '
        f'height="{upper:.2f}"/></g>'
    )


def _grid(highest: int) -> str:
    """Lines at no, half of and all of the highest count, where that is a whole number."""
    counts = sorted({0, highest // 2 if highest % 2 == 0 else 0, highest})
    heights = [(count, CHART_BOTTOM - CHART_HEIGHT * count / highest) for count in counts]
    right = CHART_LEFT + CHART_WIDTH
    return "".join(
        f'<path class="grid" d="M{CHART_LEFT} {y:.1f}H{right}"/>'
        f'<text x="{CHART_LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{count}</text>'
        for count, y in heights
    )


def _ticks(edges: Sequence[float]) -> str:
    step = math.ceil((len(edges) - 1) / MOST_TICKS)
    labels = "".join(
        f'<text x="{CHART_LEFT + CHART_WIDTH * edge / edges[-1]:.1f}" y="{CHART_BOTTOM + 13}" '
        f'text-anchor="middle">{number(edge)}</text>'
        for edge in edges[::step]
    )
    middle = CHART_LEFT + CHART_WIDTH / 2
    return f'{labels}<text x="{middle}" y="{CHART_BOTTOM + 28}" text-anchor="middle">points</text>'


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
