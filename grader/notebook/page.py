"""The outcome of `%check` as HTML, to stand below a cell in any front end."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from grader.records import CheckStatus, QuestionReport, QuestionStatus, Report
from grader.reports.plain import one_line
from grader.reports.wording import SYMBOLS
from grader.selfcheck.advice import advise, blank_cells
from grader.selfcheck.checking import PARTLY, failures
from grader.selfcheck.table import HIDDEN_TOO, lines_of, outcome


def render_page(report: Report, *, verbose: bool = False) -> str:
    """A fragment that brings its own style, and shows nothing of a student's as markup."""
    checks = [check for question in report.questions for check in question.checks]
    return _template().render(
        questions=[_question(question, verbose=verbose) for question in report.questions],
        passed=sum(check.status is CheckStatus.PASSED for check in checks),
        checks=len(checks),
        seconds=f"{report.seconds:.1f}",
        hidden_too=HIDDEN_TOO,
        notes=[one_line(note) for note in report.notes if note != PARTLY],
    )


@cache
def _template() -> Template:
    text = (resources.files("grader.notebook") / "check.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _question(question: QuestionReport, *, verbose: bool) -> dict[str, Any]:
    of_all, words, colour = outcome(question)
    blank = question.status is QuestionStatus.NOT_ATTEMPTED and bool(question.checks)
    failed = [] if blank else failures(question)
    passed = [c for c in question.checks if c.status is CheckStatus.PASSED] if verbose else []
    return {
        "id": one_line(question.id),
        "title": one_line(question.title),
        "of_all": of_all,
        "words": words,
        "colour": colour,
        "blank": blank_cells(question) if blank else "",
        "passed": [one_line(check.description or check.name) for check in passed],
        "failures": [
            {
                "symbol": SYMBOLS[check.status.value],
                "name": one_line(check.name),
                "sentence": advise(check).sentence,
                "lines": lines_of(advise(check)),
            }
            for check in failed
        ],
        "notes": [one_line(note) for note in question.notes] if failed else [],
    }
