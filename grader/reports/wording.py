"""The words and symbols that every report uses for a status, a cause and points."""

from __future__ import annotations

import math

from grader.records import (
    LEAST_CONFIDENCE,
    CheckResult,
    CheckStatus,
    QuestionReport,
    QuestionStatus,
    Repair,
)

QUESTION_WORDS = {
    QuestionStatus.PASSED: "passed",
    QuestionStatus.PARTIAL: "partial",
    QuestionStatus.FAILED: "failed",
    QuestionStatus.NOT_ATTEMPTED: "not attempted",
    QuestionStatus.PENDING: "waiting for a person",
    QuestionStatus.UNGRADED: "not graded",
}
CHECK_WORDS = {
    CheckStatus.PASSED: "passed",
    CheckStatus.FAILED: "failed",
    CheckStatus.ERROR: "error",
    CheckStatus.TIMEOUT: "timed out",
    CheckStatus.SKIPPED: "skipped",
    CheckStatus.INCONCLUSIVE: "inconclusive",
}
SYMBOLS = {
    "passed": "✓",
    "partial": "◐",
    "failed": "✗",
    "not_attempted": "○",
    "pending": "…",
    "ungraded": "!",
    "error": "✗",
    "timeout": "✗",
    "skipped": "-",
    "inconclusive": "?",
}
CAUSES = {
    "author": "The check itself is at fault, not the answer: no points are lost.",
    "grader": "The grader itself failed, not the answer: no points are lost.",
    "environment": "What the answer needs was not run here: no points are lost.",
    "prerequisite": "An earlier question that this check builds on did not pass.",
}


def number(value: float) -> str:
    """Return points as people write them: `2`, `1.5`, `0.33`."""
    if not math.isfinite(value):
        return "?"
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """Return points with their sign: `+1`, `−0.5`."""
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


def points(value: float) -> str:
    """Return points with their unit: `1 point`, `1.5 points`."""
    text = number(value)
    return f"{text} point" if text == "1" else f"{text} points"


def out_of(earned: float, maximum: float) -> str:
    """Return `1.5 / 2`."""
    return f"{number(earned)} / {number(maximum)}"


def earned(question: QuestionReport) -> str:
    """Return a question's points, `- / 2` where nobody has given any yet."""
    waiting = question.status in {QuestionStatus.PENDING, QuestionStatus.UNGRADED}
    if waiting and not question.points:
        return f"- / {number(question.max_points)}"
    return out_of(question.points, question.max_points)


def measured(value: float) -> str:
    """Return a measured number in six digits, or the name of what is not a number."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.6g}" if math.isfinite(value) else f"{'-' * (value < 0)}Infinity"


def reason(question: QuestionReport) -> str:
    """Return why the first check that did not pass did not, or an empty string.

    Of a question that was not attempted, what is known of that tells more.
    """
    if question.status is QuestionStatus.NOT_ATTEMPTED and question.notes:
        return question.notes[0]
    if question.status is QuestionStatus.UNGRADED and is_unsure(question) and question.notes:
        return f"{question.notes[0]}{_where_else(question)}"
    for check in question.checks:
        if check.status is not CheckStatus.PASSED:
            return _why(check)
    return ""


def repair_words(repair: Repair) -> str:
    """Return what was repaired, of which kind it is, and where it was asked for."""
    cells = ", ".join(map(str, repair.cells))
    count = "cells" if repair.cells[1:] else "cell"
    places = [f"{count} {cells}"] * bool(cells) + list(repair.files)
    return f"{repair.text} ({'; '.join([repair.kind, *places])})"


def is_unsure(question: QuestionReport) -> bool:
    """Return whether it is not certain which cells answer a question."""
    return question.confidence is not None and question.confidence < LEAST_CONFIDENCE


def _where_else(question: QuestionReport) -> str:
    """Return the cells that may answer a question, and how a person says which do."""
    shown = "; ".join(f"cell {c.cell} ({c.first_line})" for c in question.candidates)
    return f"{f': {shown}' if shown else ''}; say it with --map {question.id}=CELL"


def _why(check: CheckResult) -> str:
    if check.diagnosis is not None:
        return check.diagnosis.text
    return check.message or CAUSES.get(check.cause) or f"{check.description} {check.status}"
