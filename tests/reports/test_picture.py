"""Pictures are drawn for whatever numbers a broken gradient gives."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.records import GradientEvidence, Report
from grader.reports.picture import (
    CHART_HEIGHT,
    MAX_POINTS,
    gradient_picture,
    histogram,
    score_bar,
    share_bar,
)

Points = tuple[tuple[float, float], ...]


def _evidence(points: Points) -> GradientEvidence:
    return GradientEvidence((), points, 1e-5, 10)


def _marks(picture: str) -> tuple[list[ET.Element], list[ET.Element]]:
    """Return the dots and the crosses."""
    root = ET.fromstring(picture)
    crosses = [path for path in root.iter("path") if path.get("class") == "wrong"]
    return list(root.iter("circle")), crosses


def test_right_elements_are_dots_and_wrong_ones_crosses(evidence: GradientEvidence) -> None:
    """Right and wrong differ by shape, not by colour alone, and the label counts them."""
    picture = gradient_picture(evidence)
    dots, crosses = _marks(picture)
    assert len(dots) + len(crosses) == 40
    assert len(crosses) == 9
    assert "9 of 40 lie off the diagonal" in picture


def test_right_elements_lie_on_the_diagonal() -> None:
    """An element whose two values agree is drawn on the line y = x."""
    dots, _ = _marks(gradient_picture(_evidence(((-1.0, -1.0), (0.25, 0.25), (2.0, 2.0)))))
    sums = {round(float(dot.attrib["cx"]) + float(dot.attrib["cy"])) for dot in dots}
    assert len(sums) == 1


@pytest.mark.parametrize("points", [(), ((math.nan, 1.0),), ((1.0, math.inf), (-math.inf, 0.0))])
def test_nothing_to_draw(points: Points) -> None:
    """Without a finite point there is no picture."""
    assert gradient_picture(_evidence(points)) == ""


@pytest.mark.parametrize(
    "points",
    [
        ((0.0, 0.0),),
        ((1.0, 1.0), (1.0, 1.0)),
        ((1e308, -1e308), (-1e308, 1e308)),
        ((5e-324, -5e-324),),
        ((1e300, 1.0), (1e-300, 0.0), (-2.0, 3.0)),
    ],
)
def test_extreme_ranges(points: Points) -> None:
    """Constant, huge, tiny and mixed values are all drawn inside the frame."""
    for mark in _marks(gradient_picture(_evidence(points)))[0]:
        assert 34 <= float(mark.attrib["cx"]) <= 234
        assert 10 <= float(mark.attrib["cy"]) <= 210


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30))
def test_any_floats(points: list[tuple[float, float]]) -> None:
    """No list of floats breaks the picture or gets a NaN into it."""
    picture = gradient_picture(_evidence(tuple(points)))
    assert "nan" not in picture
    if picture:
        ET.fromstring(picture)


def test_one_outlier_leaves_the_rest_visible() -> None:
    """Values of very different size are spread, not heaped on one dot."""
    points = (*((k / 10, k / 10) for k in range(-10, 11)), (1e9, 1e9))
    dots, _ = _marks(gradient_picture(_evidence(points)))
    assert len({dot.attrib["cx"] for dot in dots}) > 15


def test_many_points_are_thinned() -> None:
    """A gradient of a million elements does not make a page of a million marks."""
    dots, crosses = _marks(gradient_picture(_evidence(((1.0, 1.0),) * 10_000)))
    assert len(dots) + len(crosses) <= MAX_POINTS


def test_the_score_bar(report: Report) -> None:
    """The bar's lengths are shares of all points."""
    widths = [rect.get("width") for rect in ET.fromstring(score_bar(report)).iter("rect")]
    assert widths == ["100", "53.57", "17.86"]


@pytest.mark.parametrize("maximum", [0.0, -1.0, math.nan, math.inf])
def test_no_bar_without_points(report: Report, maximum: float) -> None:
    """An assignment without points has no bar, and nothing is divided by zero."""
    assert score_bar(replace(report, max_score=maximum)) == ""


def test_a_histogram() -> None:
    """Bars are as high as their counts, pending ones upon final ones, and words say it too."""
    root = ET.fromstring(histogram([0, 10, 20], [1, 2], [3, 0]))
    bars = [rect.attrib for rect in root.iter("rect")]
    heights = [float(bar["height"]) / CHART_HEIGHT for bar in bars]
    assert heights == [0.25, 0.75, 0.5, 0.0]
    assert float(bars[1]["y"]) + float(bars[1]["height"]) == pytest.approx(float(bars[0]["y"]))
    titles = [title.text for title in root.iter("title")]
    assert titles == ["Distribution of scores", "0 to 10 points: 4", "10 to 20 points: 2"]
    description = root.findtext("desc") or ""
    assert "6 submissions in 2 ranges" in description
    assert "most of them, 4, have from 0 to 10 points" in description


def test_an_empty_histogram() -> None:
    """Without a submission there are bars of no height, and no division by zero."""
    heights = {r.get("height") for r in ET.fromstring(histogram([0, 1], [0], [0])).iter("rect")}
    assert heights == {"0.00"}


@pytest.mark.parametrize(("share", "width"), [(0.25, "25.00"), (1.5, "100.00"), (math.nan, "0.00")])
def test_a_share_bar(share: float, width: str) -> None:
    """A share's bar is as long as the share, whatever number it is."""
    assert [r.get("width") for r in ET.fromstring(share_bar(share)).iter("rect")][1] == width
