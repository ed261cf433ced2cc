"""Right-to-left answers run from right to left, and formulas and code in them do not."""

from __future__ import annotations

import re

import pytest

from grader.reports.direction import runs_right_to_left
from grader.reports.markdown import render_markdown

PERSIAN = "وزن‌های لایه"


def directions(source: str) -> list[str]:
    """The elements that run from right to left."""
    html = render_markdown(source)
    assert ' dir="' not in html.replace(' dir="rtl"', "")
    return re.findall(r'<(\w+)[^<>]* dir="rtl"', html)


def test_each_block_runs_as_its_words_do() -> None:
    """Every outer block of a mixed answer finds its own direction."""
    blocks = f"# {PERSIAN}\n\n{PERSIAN}\n\nEnglish\n\n- {PERSIAN}\n\n> x\n\n1. {PERSIAN}"
    assert directions(blocks) == ["h5", "p", "ul", "ol"]
    assert directions(f"| {PERSIAN} |\n|---|\n| 1 |") == ["div"]
    assert directions("# σ(x) → 1\n\n- α ≈ 0.82\n\n> naïve\n\n$$x$$\n\n```\na\n```") == []


def test_a_list_has_one_direction() -> None:
    """All items of a list count together, and what is code or a formula does not."""
    assert directions(f"- softmax {PERSIAN}\n- MSE\n- {PERSIAN}") == ["ul"]
    assert directions(f"`a_long_name_of_a_function(x, y)` {PERSIAN} $abcdefghijklmnop$") == ["p"]


@pytest.mark.parametrize(
    "tag", ['<div dir="rtl">', "<DIV align=right dir=rtl>", "<p class='a' dir='RTL'>"]
)
def test_a_wrapper_decides(tag: str) -> None:
    """What stands in a wrapper with a direction has it, whatever its letters are."""
    closing = "</div>" if "div" in tag.lower() else "</p>"
    assert directions(f"{tag}\n\nloss\n\n- MSE\n\n{closing}\n\nEnglish") == ["p", "ul"]
    assert directions(f"{tag}loss{closing}\n\nEnglish") == ["p"]


def test_wrappers_in_each_other() -> None:
    """The innermost direction counts, a wrapper without one changes nothing, more may be closed."""
    inner = f'<div dir="ltr">\n\n{PERSIAN}\n\n</div>'
    assert directions(f'<div dir="rtl">\n\n<div>\n\n# a\n\n{inner}\n\n- b\n\n') == ["h5", "ul"]
    assert directions(f"</div></div>\n\n{PERSIAN}") == ["p"]


def test_wrappers_leave_no_empty_paragraph() -> None:
    """A paragraph that holds a wrapper alone is not shown; pictures and code stay."""
    html = render_markdown(f'<div dir="rtl">\n\n{PERSIAN}\n\n</div>')
    assert html.strip() == f'<p dir="rtl">{PERSIAN}</p>'
    assert "<code>x</code>" in render_markdown("<div>`x`</div>")
    assert "no-picture" in render_markdown("![a](https://a.example/b.png)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("a ≠ α é", False),
        ("سلام", True),
        ("שלום", True),
        ("softmax و sigmoid در هر layer هست", True),
        ("This is called the gradient (گرادیان).", False),
        ("۱۲۳", False),
    ],
)
def test_words_from_right_to_left(text: str, expected: bool) -> None:
    """Persian, Arabic and Hebrew sentences keep their direction with foreign terms in them."""
    assert runs_right_to_left(text) is expected
