"""The pages are complete, self-contained, accessible, and keep their secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from html_page import Page

from grader.records import CheckStatus, QuestionStatus, Report
from grader.reports import render_instructor, render_student

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.fixture(scope="module")
def teacher(report: Report) -> Page:
    """The teacher's page."""
    return Page(render_instructor(report))


@pytest.fixture(scope="module")
def student(report: Report) -> Page:
    """The student's page."""
    return Page(render_student(report))


@pytest.fixture(params=["teacher", "student"])
def page(request: pytest.FixtureRequest) -> Page:
    """Each of the two pages."""
    found: Page = request.getfixturevalue(request.param)
    return found


def test_nothing_active_is_on_the_page(page: Page) -> None:
    """No script, frame, form or event handler is there, whatever was handed in."""
    forbidden = {"script", "iframe", "object", "embed", "form", "link", "base", "foreignobject"}
    for tag, attributes in page.elements:
        assert tag not in forbidden
        assert not any(name.startswith("on") for name in attributes), attributes


def test_the_page_needs_no_network(page: Page) -> None:
    """Pictures are data, links leave only by a click, and the policy forbids the rest."""
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert all(re.match(r"#|https?://|mailto:", link["href"]) for link in page.all("a"))
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies == [POLICY]


def test_the_style_sheet_loads_nothing(report: Report) -> None:
    """The one style sheet is inlined, imports nothing, and cannot be closed early."""
    html = render_instructor(report)
    assert html.count("<style>") == html.count("</style>") == 1
    assert "@import" not in html
    assert "url(" not in html


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    """Tags in titles, names and messages are visible as the student typed them."""
    for number in (1, 6, 10, 11):
        assert f"<script>alert({number})</script>" in page.text
    assert "The sigmoid and its gradient <b>bold</b>" in page.text


def test_the_page_can_be_read_by_everybody(page: Page) -> None:
    """Language, skip link, ordered headings, table scopes and descriptions are there."""
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("a")[0]["class"] == "skip"
    assert headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(headings))
    assert all("scope" in header for header in page.all("th"))
    assert all(image["alt"] for image in page.all("img"))


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    """Each link of the overview has its target, and no identifier comes twice."""
    anchors = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    targets = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    assert len(anchors) == len(set(anchors))
    assert targets <= set(anchors)


def test_every_status_is_a_word(page: Page) -> None:
    """Statuses are words besides their colour."""
    for word in ("passed", "partial", "failed", "not attempted", "waiting for a person",
                 "not graded", "error", "timed out", "skipped", "inconclusive"):  # fmt: skip
        assert f" {word}" in page.text


def test_the_score_is_on_top(page: Page) -> None:
    """Score, maximum and waiting points stand before the questions."""
    head = page.text.split("Overview")[0]
    assert "2.5" in head
    assert "of 14 points" in head
    assert "5 points waiting for a person" in head


def test_passed_questions_are_closed(teacher: Page) -> None:
    """What needs attention is open, what passed is closed."""
    states = [
        ("open" in attributes)
        for attributes in teacher.all("details")
        if attributes["class"].startswith("question")
    ]
    assert states == [False, True, True, True, True, True, True, False]


def test_a_failed_gradient_shows_its_evidence(teacher: Page) -> None:
    """The worst elements are in a table, with a picture, NaN included."""
    for part in ("Worst elements", "[0, 3]", "NaN", "-Infinity", "the number itself"):
        assert part in teacher.text
    assert [svg["role"] for svg in teacher.all("svg") if "role" in svg] == ["img", "img"]


def test_the_teacher_sees_hidden_checks(teacher: Page) -> None:
    """The teacher's page has everything of a hidden check, and marks it as hidden."""
    for part in (
        "SECRET description",
        "SECRET message",
        "SECRET diagnosis",
        "test_secret_extremes",
    ):
        assert part in teacher.text
    assert "hidden" in teacher.text


def test_the_student_sees_nothing_of_hidden_checks(report: Report) -> None:
    """Neither name, description, message, diagnosis nor evidence of a hidden check is there."""
    html = render_student(report)
    for part in ("SECRET", "secret", "0.5 of", "50&nbsp;%"):
        assert part not in html
    assert html.count('<svg class="scatter"') == 1


def test_the_students_points_still_add_up(report: Report, student: Page) -> None:
    """Points of hidden checks are said in one sum per question, so their number stays unknown."""
    assert "0 of 1 point comes from checks that your teacher keeps." in student.text
    whole = report.questions[1]
    halves = (replace(whole.checks[2], max_points=0.5),) * 2
    split = replace(whole, checks=(*whole.checks[:2], *halves))
    questions = (report.questions[0], split, *report.questions[2:])
    assert Page(render_student(replace(report, questions=questions))).text == student.text


def test_hidden_checks_without_points_are_not_mentioned(report: Report) -> None:
    """A hidden check that gives no points leaves no trace at all."""
    whole = report.questions[0]
    probe = replace(whole.checks[0], name="probe9", hidden=True, points=0.0, max_points=0.0)
    with_probe = replace(whole, checks=(*whole.checks, probe))
    assert render_student(replace(report, questions=(with_probe,))) == render_student(
        replace(report, questions=(whole,))
    )


def test_the_student_reads_no_test_names(student: Page) -> None:
    """A student reads the description, not the name of the function nor a confidence."""
    assert "test_sigmoid" not in student.text
    assert "sure)" not in student.text


def test_written_answers_are_rendered(teacher: Page) -> None:
    """Math is MathML, tables are tables, code is code."""
    assert len(teacher.all("math")) == 6
    assert "np.dot(A, B)" in teacher.text


def test_outputs_are_shown_safely(teacher: Page) -> None:
    """Pictures are shown, broken ones and HTML are named, long text is cut, colours are gone."""
    for part in ("picture is broken", "text/html is not shown", "characters left out", "0.5"):
        assert part in teacher.text
    assert "\x1b" not in teacher.text
    assert any(
        image["src"].startswith("data:image/svg+xml;base64,") for image in teacher.all("img")
    )


def test_how_the_notebook_ran(teacher: Page) -> None:
    """Cells that failed, the environment, the isolation and the files' sum are at the end."""
    end = teacher.text.split("How the notebook ran")[1]
    for part in ("1 of 4 cells", "skipped: 1", "NameError", "stopped after 120 s", "3.11.7",
                 "namespaces", "0f" * 32, "1.23 s"):  # fmt: skip
        assert part in end


@pytest.mark.parametrize("render", [render_instructor, render_student])
def test_an_empty_report_is_a_page(report: Report, render: Callable[[Report], str]) -> None:
    """A file that could not be graded gets a page that says why."""
    empty = replace(
        report, questions=(), execution=(), environment={}, max_score=0.0, score=0.0, pending=0.0,
        notes=("This is not a notebook.",),
    )  # fmt: skip
    text = Page(render(empty)).text
    assert "This is not a notebook." in text
    assert "No cell was run." in text


def test_every_combination_of_statuses_is_rendered(report: Report) -> None:
    """No status of a question or a check is unknown to the templates."""
    question, check = report.questions[1], report.questions[1].checks[1]
    questions = tuple(
        replace(question, status=status, checks=(replace(check, status=inner),))
        for status in QuestionStatus
        for inner in CheckStatus
    )
    Page(render_instructor(replace(report, questions=questions)))
    Page(render_student(replace(report, questions=questions)))


def _colours(html: str) -> list[dict[str, str]]:
    """Return the colours of the light and of the dark page."""
    blocks = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast(report: Report) -> None:
    """Every text colour has the contrast of WCAG AA on each ground it stands on."""
    light, dark = _colours(render_instructor(report))
    for colours in (light, dark):
        pairs = [
            (text, ground)
            for text in ("ink", "muted", "link", *(c for c in colours if c.startswith("code-")))
            for ground in ("page", "card", "inset")
        ]
        pairs += [(name, f"{name}-tint") for name in ("good", "bad", "half", "wait")]
        pairs += [("ink", "half-tint"), ("muted", "half-tint"), ("wait", "page")]
        for text, ground in pairs:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_repairs(report: Report) -> None:
    """Both pages show what was repaired, as text, and where it was asked for."""
    for page in (render_instructor(report), render_student(report)):
        assert "`!pip install &lt;b&gt;x&lt;/b&gt;` was not run (commands; cells 3, 65)" in page
        assert "numpy.int is int here (names; utils.py)" in page
    assert "Repaired here" not in render_student(replace(report, repairs=()))
