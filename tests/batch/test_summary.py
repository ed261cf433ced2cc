"""The summary's page: complete, safe whatever students write, and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from html_page import Page

from grader.batch.statistics import Graded, summarise
from grader.batch.summary import FILE, Shown, render_summary, report_link, write_summary
from grader.gradebook import ManualScore, open_gradebook
from grader.lms.records import FoundSubmission
from grader.records import CheckStatus, QuestionStatus

Make = Callable[..., Any]
HOSTILE = '"><script>alert(1)</script></style></svg><img src=x onerror=alert(2)>\x1b[31m\u202e'
MEGABYTE = 1 << 20


def page_of(batch: list[Graded]) -> Page:
    """The page of a batch."""
    return Page(render_summary(summarise(batch)))


@pytest.fixture
def batch(check: Make, question: Make, report: Make, graded: Make) -> list[Graded]:
    """A dozen students with something for every section."""
    made = []
    for k in range(12):
        second = question("q2", 4.0 * (k < 8), check("strict", k < 8, message=f"{k} differs"))
        third = question("q3", 0, check("sign", k % 2 == 0, code="" if k % 2 == 0 else "sign"))
        fourth = question("q4", status=QuestionStatus.PENDING if k % 3 else QuestionStatus.UNGRADED)
        one = report(f"s{k:02}", question("q1", k / 3), second, third, fourth)
        made.append(graded(one, f"Student {k}"))
    return made


def test_every_section_speaks(batch: list[Graded]) -> None:
    """Scores, questions, checks, mistakes, failures, looks and times are on the page."""
    text = page_of(batch).text
    for words in (
        *("12 submissions with a report", "waiting on average", "4 submissions, the gravest first"),
        *("title of q1", "strict", "beyond chance", "The sign is wrong.", "namespaces: 12"),
        *("0 differs"[1:], "Student 11", "median 1 s"),
    ):
        assert words in text


def test_links_lead_to_the_reports(batch: list[Graded]) -> None:
    """Each submission's report is linked, whatever its id holds, and nothing else but scores."""
    links = {link["href"] for link in page_of(batch).all("a")}
    assert {f"s{k:02}/report.html" for k in range(12)} <= links
    assert all(re.match(r"#attention$|scores\.csv$|s\d\d/report\.html$", link) for link in links)
    assert report_link("a b#c?d%e") == "a%20b%23c%3Fd%25e/report.html"
    assert report_link("javascript:x").startswith("javascript%3A")


def test_hostile_names_and_texts_are_text(
    check: Make, question: Make, report: Make, graded: Make
) -> None:
    """Names, ids, titles, messages and notes cannot leave their place."""
    failed = check(HOSTILE, False, message=HOSTILE, description=HOSTILE)
    named = check("named", False, code=HOSTILE)
    lost = question(HOSTILE, status=QuestionStatus.UNGRADED, notes=(HOSTILE,))
    fault = check("ours", False, status=CheckStatus.ERROR, cause="author", message=HOSTILE)
    pieces = (question("q1", 2, failed, named), question("q2", 0, fault), lost)
    batch = [
        graded(report(f"{HOSTILE}{k}", *pieces, notes=(HOSTILE,), isolation=HOSTILE), HOSTILE)
        for k in range(12)
    ]
    page = page_of([*batch, Graded(HOSTILE, HOSTILE, None, {})])
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "form", "link", "base", "object"}
    assert not any(name.startswith("on") for _, given in page.elements for name in given)
    assert "<script>alert(1)</script>" in page.text
    assert page.open == []


def test_the_page_stands_alone(batch: list[Graded]) -> None:
    """It loads nothing, and its policy forbids it to."""
    html = render_summary(summarise(batch))
    (policy,) = [m["content"] for m in Page(html).all("meta") if "http-equiv" in m]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert html.count("<style>") == html.count("</style>") == 1
    assert not re.search(r"@import|url\(|src=", html)


def test_it_can_be_read_by_everybody(batch: list[Graded]) -> None:
    """The picture has a title, a description and a table; headers have scopes; ids are unique."""
    page = page_of(batch)
    (picture,) = [one for one in page.all("svg") if one.get("role") == "img"]
    anchors = [given["id"] for _, given in page.elements if "id" in given]
    assert len(anchors) == len(set(anchors))
    assert set(picture["aria-labelledby"].split()) <= set(anchors)
    assert all("scope" in header for header in page.all("th"))
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("a")[0]["class"] == "skip"
    assert "12 submissions in" in page.text
    assert "The same as a table" in page.text


def test_an_empty_batch() -> None:
    """Without a report the page says so."""
    assert "No report yet" in page_of([]).text
    assert "1 not graded yet" in page_of([Graded("ann", "Ann", None, {})]).text


def test_one_submission(question: Make, report: Make, graded: Make) -> None:
    """A batch of one has its score, and says that it takes more for the rest."""
    text = page_of([graded(report("ann", question("q1", 3)))]).text
    assert "1 submission with a report" in text
    assert "3 of 4 points on average" in text
    assert "too few" in text
    assert "it takes 10 submissions to tell" in text


def test_nothing_graded(question: Make, report: Make, graded: Make) -> None:
    """Where everything waits for a person there is no picture of zeros."""
    waiting = question("q1", status=QuestionStatus.PENDING)
    page = page_of([graded(report("ann", waiting))])
    assert "Nothing that gives points has been graded." in page.text
    assert not [one for one in page.all("svg") if one.get("role") == "img"]


def test_a_large_batch_stays_readable(
    check: Make, question: Make, report: Make, graded: Make
) -> None:
    """500 submissions of 40 questions, all with much to say, make a page of less than 2 MB."""
    batch = []
    for k in range(500):
        lost = {"status": QuestionStatus.UNGRADED, "notes": ("x" * 5000,)}
        questions = [
            question(
                f"q{q}", 0, check(f"t{q}", False, message=f"{chr(65 + k % 26) * 9000}{q}"), **lost
            )
            for q in range(40)
        ]
        batch.append(graded(report(f"student-{k:03}", *questions), f"Student number {k}"))
    html = render_summary(summarise(batch))
    assert len(html) < 2 * MEGABYTE
    assert "student-499/report.html" in html
    assert "more are not shown" in html


def test_what_is_cut_is_counted(question: Make, report: Make, graded: Make) -> None:
    """More submissions than the page has room for are said to be left out, and where they are."""
    most = Shown().rows
    batch = [graded(report(f"s{k}", question("q1", k % 5))) for k in range(most + 3)]
    assert "3 more are not shown; scores.csv has them" in page_of(batch).text


def test_from_a_gradebook(tmp_path: Path, question: Make, report: Make) -> None:
    """The page tells what the gradebook has now, a person's points among it."""
    waiting = question("q2", status=QuestionStatus.PENDING)
    with open_gradebook(tmp_path, create=True) as book:
        for identity in ("ann", "bob"):
            book.add_submission(FoundSubmission(identity, (), identity.title()))
        book.add_report(book.begin_run("tiny", {}), "k", report("ann", question("q1", 3), waiting))
        page = Page(write_summary(book).read_text(encoding="utf-8"))
        assert "3 of 8 points on average" in page.text
        assert "1 not graded yet" in page.text
        book.give(ManualScore("ann", "q2", 4.0, "", "tom"))
        text = Page(write_summary(book).read_text(encoding="utf-8")).text
    assert "7 of 8 points on average" in text
    assert "waiting on average" not in text
    assert sorted(path.name for path in tmp_path.glob("*.html")) == [FILE]
