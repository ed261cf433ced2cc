"""Hostile Markdown becomes harmless HTML, and honest Markdown stays readable."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports.markdown import render_markdown
from grader.reports.mathml import ELEMENTS, render_math

ALLOWED = ELEMENTS | {
    "h5", "h6", "p", "br", "hr", "a", "span", "img", "em", "strong", "s", "code", "pre", "ul",
    "ol", "li", "blockquote", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = re.compile(
    r"href|rel|title|class|src|alt|style|scope|start|dir|tabindex|xmlns|display(style)?|stretchy|fence"
    r"|form|columnalign|accent(under)?|mathvariant|mathcolor|width|[lr]space|separator|largeop"
    r"|movablelimits|linethickness|(min|max)size|scriptlevel|notation|depth|height|voffset|symmetric"
)


class _Reader(HTMLParser):
    """Collects elements and attributes as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def _elements(html: str) -> list[tuple[str, dict[str, str]]]:
    reader = _Reader()
    reader.feed(html)
    return reader.found


def _assert_safe(html: str) -> None:
    for tag, attributes in _elements(html):
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            assert ATTRIBUTES.fullmatch(name), name
            if name == "href":
                assert re.match(r"(?:https?://|mailto:)", value, re.IGNORECASE), value
            elif name == "src":
                assert value.startswith("data:image/"), value
            elif name == "style":
                assert re.fullmatch(r"text-align:(left|right|center)", value), value
            elif name == "dir":
                assert value == "rtl"


HOSTILE = [
    "<script>alert(1)</script>",
    "a <img src=x onerror=alert(1)> b",
    "</style></pre></details><h1 onclick=x>",
    "<!-- --><![CDATA[<script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](  java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example) [w](/path)",
    '[x](https://a.example "onmouseover=\\"x\\"")',
    "[x](https://a.example/\"onmouseover='x')",
    "<javascript:alert(1)>",
    "![x](https://evil.example/track.png)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](nn-grader-picture:0) ![y](nn-grader-picture:999999)",
    '![" onerror="x](data:image/png;base64,AAAA)',
    '```"><script>\nx\n```',
    "$\\href{javascript:alert(1)}{x}$",
    "$\\text{<script>alert(1)</script>}$",
    "$\\text{</math><img src=x onerror=alert(1)>}$",
    '$\\class{x" onclick="y}{z} \\color{red" onclick="y}{z}$',
    "$\\style{position:fixed}{x} \\unicode{60} \\text{&lt;script&gt;}$",
    "$$\\text{<annotation-xml encoding='text/html'><img></annotation-xml>}$$",
    "\\begin{align} \\text{<script>} \\end{align}",
    "$$x$$ (<script>)",
    "<span onmouseover=alert(1)>a</span><br onclick=x><p style='x'>",
    "[a]: javascript:x\n\n[a] ![a]",
    '<div dir="rtl" onclick="x">\n\nمتن\n\n</div></div></p>',
    '<p dir=rtl"onmouseover=x>متن <div dir="ltr"x>',
]


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_active_gets_through(source: str) -> None:
    """Only known elements, attributes and addresses come out, whatever goes in."""
    _assert_safe(render_markdown(source))


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*HOSTILE, "\n", "\n\n", "> ", "- ", "`", "$", "$$", "|"]), max_size=9)
)
def test_nothing_active_gets_through_combined(parts: list[str]) -> None:
    """Pieces of hostile text stay harmless in any combination."""
    _assert_safe(render_markdown("".join(parts)))


def test_raw_html_is_shown_as_text() -> None:
    """A tag that is not mere layout is shown as the student typed it."""
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in render_markdown("<script>alert(1)</script>")


def test_layout_tags_are_dropped() -> None:
    """Wrappers that notebooks use for layout vanish, and a line break breaks the line."""
    html = render_markdown('a <span style="float:right">(1 point)</span><br>b <center>c</center>')
    assert html == "<p>a (1 point)<br />\nb c</p>\n"


def test_code_keeps_its_tags() -> None:
    """In code, even layout tags are shown."""
    assert "<code>&lt;br&gt;&lt;span&gt;</code>" in render_markdown("`<br><span>`")


def test_links_tell_nothing_to_their_target() -> None:
    """A link to the web works and carries the protective relations."""
    html = render_markdown("[book](https://www.deeplearningbook.org/) <mailto:a@b.example>")
    links = [attributes for tag, attributes in _elements(html) if tag == "a"]
    assert [link["href"] for link in links] == [
        "https://www.deeplearningbook.org/",
        "mailto:a@b.example",
    ]
    assert {link["rel"] for link in links} == {"noopener noreferrer nofollow"}


def test_other_links_become_text() -> None:
    """The words of a refused link stay, the address goes."""
    assert render_markdown("[**my** words](javascript:x)") == (
        "<p><span><strong>my</strong> words</span></p>\n"
    )


def test_a_pasted_picture_is_shown(png: str) -> None:
    """A picture inside the Markdown is shown, however long its data are."""
    html = render_markdown(f"![a *plot*](data:image/png;base64,{png})")
    ((_, attributes),) = [found for found in _elements(html) if found[0] == "img"]
    assert attributes == {"src": f"data:image/png;base64,{png}", "alt": "a plot"}


def test_a_large_picture_does_not_push_the_text_out(png: str) -> None:
    """Pictures do not count towards the length at which text is cut."""
    html = render_markdown(f"![p](data:image/png;base64,{'A' * 400_000})\n\nThe end of the answer.")
    assert "<img" in html
    assert "The end of the answer." in html


def test_other_pictures_become_their_description() -> None:
    """A picture from the web is named, not loaded."""
    assert "the loss" in render_markdown("![the loss](https://a.example/loss.png)")


def test_headings_stay_below_those_of_the_page() -> None:
    """A student's first heading does not outrank the question's."""
    assert render_markdown("# a\n### b") == (
        '<h5 class="level-1">a</h5>\n<h6 class="level-3">b</h6>\n'
    )


def test_tables_and_python_are_rendered() -> None:
    """Tables have header cells with a scope, and Python blocks are highlighted."""
    assert '<th scope="col">' in render_markdown("| a | b |\n|---|---|\n| 1 | 2 |")
    assert '<span class="k">def</span>' in render_markdown("```python\ndef f(): pass\n```")


COURSE_MATH = [
    r"g(u, v) = 3u^2 - uv + \sin(2v) + \frac{v}{5}",
    r"\frac{\partial g}{\partial v} = 2 \cos(2v) - u + 0.2 \quad \delta_{ij}",
    r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{k=1}^{K} e^{z_k}}",
    r"h'(t) = \lim_{\epsilon \rightarrow 0} \frac{h(t + \epsilon) - h(t)}{\epsilon}",
    r"g'(t) = \begin{cases} \alpha & \text{if } t < 0 \\ 1 & \text{otherwise} \end{cases}",
    r"\mathcal{H} = -\sum_i p_i \log \hat{p}_i + \lambda \|\mathbf{w}\|^2",
    r"\left(\frac{a}{\hat{a}} + \frac{2-a}{2-\hat{a}}\right) \odot \mu \approx \eta",
    r"\nabla_{\mathbf{V}}\mathcal{H} = \mathbf{h} \cdot \nabla_{\mathbf{z}}\mathcal{H}^T",
    r"\tanh(s) \in \{0, 1\}, \max(s, t) \geq {\rm const} + \exp(-s) \times \mathrm{d}s \dots",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \in \mathbb{R}^{N \times M}",
    r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    r"\begin{align} a &= b \\ c &= d \end{align}",
    r"\begin{alignat*}{2} a &= b \\ c &= d \end{alignat*}",
    r"\begin{gather} a \\ b \end{gather}",
    r"\begin{equation} a = b \end{equation}",
]


@pytest.mark.parametrize("tex", COURSE_MATH)
@pytest.mark.parametrize("display", [False, True])
def test_course_math_is_converted(tex: str, display: bool) -> None:
    """Formulas of the kind that students write become MathML, nothing of TeX left over."""
    html = render_math(tex, display=display)
    assert html.startswith("<math ")
    assert "\\" not in html
    assert "&amp;" not in html


def test_math_is_found_in_text() -> None:
    """Inline, display and bare environments are all taken for math."""
    html = render_markdown(
        "so $x$ and $$y$$\n\n$$\nz\n$$\n\n\\begin{align}\na &= b\n\\end{align}\n"
    )
    assert html.count("<math") == 4
    assert html.count('display="block"') == 3


def test_prices_are_no_math() -> None:
    """Two amounts in dollars are no formula."""
    assert "<math" not in render_markdown("between $5 and $10")


@pytest.mark.parametrize("name", ["alignat", "alignat*", "alignedat"])
def test_a_number_of_columns_is_no_formula(name: str) -> None:
    """The argument of an environment does not stand in the formula."""
    tex = rf"\begin{{{name}}}{{7}} a &= b \end{{{name}}}"
    assert "7" not in render_math(tex, display=True)


def test_lines_of_a_formula_are_rows() -> None:
    """A line break outside an environment begins a new row."""
    assert render_math(r"a = b \\ c = d", display=True).count("<mtr>") == 2


@pytest.mark.parametrize(
    "tex",
    [
        "",
        r"\text{<script>alert(1)</script>}",
        r"\text{a & b}",
        r"\frac",
        "x\x00y",
        "x" * 5001,
        "{" * 4000,
        r"\sqrt{" * 400 + "}" * 400,
        "^" * 4000,
        r"\newcommand{\a}{\b\b}\a",
        r"\def\a{\a\a}\a",
        r"\DeclareMathOperator{\a}{b}",
    ],
    ids=lambda tex: repr(tex[:16]),
)
def test_math_that_cannot_be_shown_keeps_its_source(tex: str) -> None:
    """Where conversion fails, is unsafe or too long, the escaped TeX is shown."""
    html = render_math(tex, display=False)
    assert html.startswith('<code class="tex">')
    assert html.count("<") == 2


def test_math_attributes_are_known_ones() -> None:
    """Links, classes and long spaces are taken out of a formula, the formula stays."""
    html = render_math(
        r"\href{javascript:a}{x}\class{b}{y}\hspace{-50em}\color{red}{z}", display=True
    )
    assert html.startswith("<math")
    for part in ("href", "javascript", "class", "50em"):
        assert part not in html
    assert 'mathcolor="red"' in html


@pytest.mark.parametrize(
    "source",
    [
        "> " * 20_000,
        "- " * 20_000,
        "[" * 50_000,
        "*a_" * 30_000,
        "(" * 50_000 + "$" * 999,
        "a\ud800b\x00",
    ],
    ids=["quotes", "lists", "brackets", "emphasis", "dollars", "surrogate"],
)
def test_deep_nesting_is_digested(source: str) -> None:
    """Input made to exhaust a parser gives a page, not an exception."""
    _assert_safe(render_markdown(source))


def test_a_broken_parser_costs_only_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the parser raises, the text is shown escaped."""

    def broken() -> None:
        raise RecursionError

    monkeypatch.setattr("grader.reports.markdown._parser", broken)
    assert render_markdown("<b>x</b>") == '<pre class="plain">&lt;b&gt;x&lt;/b&gt;</pre>\n'


def test_long_text_is_cut() -> None:
    """Very long text is cut in the middle, and says so."""
    html = render_markdown("word " * 100_000)
    assert len(html) < 50_000
    assert "characters left out" in html
