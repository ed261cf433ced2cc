"""The summary: Markdown in which nothing of a student's means anything."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from ci_reports import HOSTILE, SECRET, check, question
from markdown_it import MarkdownIt

from grader.ci.summary import fault_summary, points_table, summary
from grader.records import QuestionStatus, Report

ROOM = 1 << 20


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Called by the parser."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Called by the parser."""
        self.text += data


def rendered(markdown: str) -> Tags:
    """A page as GitHub's dialect makes it, raw HTML let through."""
    return Tags(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown))


def test_injection(report: Report) -> None:
    """Hostile text adds no tag, link, picture, row or heading, and is there to be read."""
    page = rendered(summary(report, ROOM))
    assert page.tags <= {*("h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"), "pre"}
    assert "<img src=x" in page.text
    assert "# Full marks" in page.text
    rows = [line for line in summary(report, ROOM).split("\n") if line.startswith("|")]
    assert len(rows) == 2 + len(report.questions)
    assert all(row.count("|") == 5 for row in rows)


def test_hidden_checks_stay_hidden(report: Report) -> None:
    """A hidden check is neither named nor quoted."""
    assert SECRET not in rendered(summary(report, ROOM)).text


def test_mentions(report: Report) -> None:
    """Nobody is called by a name behind an at sign."""
    noted = replace(report, notes=("@everyone",))
    assert "@everyone" not in rendered(summary(noted, ROOM)).text


def test_room(report: Report) -> None:
    """A summary never exceeds its room in bytes, and says what it leaves out."""
    many = [question(str(n), QuestionStatus.FAILED, check(message="ä" * 4000)) for n in range(99)]
    made = summary(replace(report, questions=tuple(many)), 50_000)
    assert 40_000 < len(made.encode()) <= 50_000
    assert "more" in made.split("</pre>")[-1]


def test_fault() -> None:
    """What is said of a fault is text, too."""
    assert rendered(fault_summary(HOSTILE)).tags == {"h2", "pre"}


def test_table_is_free_of_a_students_words(report: Report) -> None:
    """The log's table holds ids, points and words of ours."""
    assert points_table(report)[1].split() == ["1b", "0", "/", "1.5", "failed"]
    assert "wrong" not in "\n".join(points_table(report))
