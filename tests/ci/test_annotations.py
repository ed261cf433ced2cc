"""Marks beside lines, and what hostile text makes of them."""

from __future__ import annotations

import json
from dataclasses import replace

from ci_reports import SECRET, check, question

from grader.ci.annotations import Annotation, annotate
from grader.records import CheckStatus, QuestionStatus, Report

NOTEBOOK = json.dumps({"cells": [{"source": ["# why\n"]}, {"source": ["x = 1\n"]}]}, indent=1)
FILES = {"hw1/hw.ipynb": NOTEBOOK.encode(), "hw1/code/net/loss.py": b""}


def test_places(report: Report) -> None:
    """A question is marked at the first code cell of its answer, or where its file has it."""
    marks = annotate(report, FILES, "hw1/hw.ipynb")
    line = next(n for n, text in enumerate(NOTEBOOK.split("\n"), 1) if "x = 1" in text)
    assert [(m.kind, m.file, m.line) for m in marks] == [
        ("error", "hw1/hw.ipynb", line),
        ("error", "hw1/code/net/loss.py", 7),
    ]


def test_injection(report: Report) -> None:
    """Whatever a student wrote, a mark is one line, and its message is whole."""
    for mark in annotate(report, FILES, "hw1/hw.ipynb"):
        command = mark.command()
        assert command.splitlines() == [command]
        assert command.startswith("::error file=hw1/")
        head, message = command.removeprefix("::error ").split("::", 1)
        assert "%250A::warning" in message
        assert "\x1b" not in message
        assert head.count(",") == 2
        assert SECRET not in command


def test_properties_are_escaped() -> None:
    """Neither a title nor a path can add a property or end the command."""
    mark = Annotation("error", "a,line=9::b\n%", "m", file="x,y:z.ipynb", line=3)
    assert mark.command() == (
        "::error file=x%2Cy%3Az.ipynb,line=3,title=a%2Cline=9%3A%3Ab%0A%25::m"
    )


def test_no_more_than_ten_of_a_kind(report: Report) -> None:
    """Where GitHub would leave marks out, the tenth says how many there are."""
    failed = [question(str(n), QuestionStatus.FAILED) for n in range(13)]
    undecided = check(CheckStatus.INCONCLUSIVE)
    left = [question(f"u{n}", QuestionStatus.UNGRADED, undecided) for n in range(10)]
    marks = annotate(replace(report, questions=(*failed, *left)), FILES, "hw1/hw.ipynb")
    assert [mark.kind for mark in marks].count("error") == 10
    assert [mark.kind for mark in marks].count("notice") == 10
    assert marks[9].title == "4 more questions"


def test_nothing_to_say(report: Report) -> None:
    """A question of which no check is run here gets no mark on every push."""
    unchecked = question("1", QuestionStatus.UNGRADED)
    assert annotate(replace(report, questions=(unchecked,)), FILES, "hw1/hw.ipynb") == []
