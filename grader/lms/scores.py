"""scores.csv: a line for each submission, a column for each question."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grader.lms.records import Form, OutputFile, Plan, ScoreRow
from grader.lms.sheet import as_text, write_table

SYSTEM = "csv"
FIXED = ("id", "name", "email", "score", "max_score", "pending")


def scores_csv(rows: Sequence[ScoreRow]) -> bytes:
    """The table in UTF-8 with a BOM, without which Excel would not read names aright.

    A question that nobody has graded yet is empty; text that a spreadsheet
    would take for a formula has an apostrophe before it.
    """
    questions = list(dict.fromkeys(question for row in rows for question in row.questions))
    header = [*FIXED, *(as_text(question) for question in questions), "comment"]
    table = [header, *(_line(row, questions) for row in rows)]
    return write_table(table).encode("utf-8-sig", "replace")


def _line(row: ScoreRow, questions: Sequence[str]) -> list[str]:
    texts = [as_text(text) for text in (row.id, row.name, row.email)]
    numbers = [_number(value) for value in (row.score, row.max_score, row.pending)]
    answers = [_number(row.questions.get(question)) for question in questions]
    return [*texts, *numbers, *answers, as_text(row.comment)]


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def plan(rows: Sequence[ScoreRow]) -> Plan:
    """The table as the one file of a plan."""
    return Plan(SYSTEM, Form.FILE, (OutputFile("scores.csv", scores_csv(rows)),))
