"""A report on the terminal: a table for a person, plain lines for a pipe."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.records import QuestionReport, QuestionStatus, Report
from grader.reports.plain import one_line
from grader.reports.wording import (
    QUESTION_WORDS,
    earned,
    number,
    out_of,
    points,
    reason,
    repair_words,
)

COLOURS = {
    QuestionStatus.PASSED: "green",
    QuestionStatus.PARTIAL: "yellow",
    QuestionStatus.FAILED: "red",
    QuestionStatus.NOT_ATTEMPTED: "red",
    QuestionStatus.PENDING: "magenta",
    QuestionStatus.UNGRADED: "bold magenta",
}

LONGEST_REASON = 240
"""Characters of a reason on a terminal; three lines of 80 columns. A pipe gets all of it."""


def render_table(report: Report, console: Console) -> None:
    """Print the report's questions and totals, for a person or for a pipe."""
    if console.is_terminal:
        console.print(_table(report))
    else:
        _print_plain([one_line(report.title), *_rows(report.questions)], console)
    for line in _totals(report):
        _print_plain([line], console)


def _table(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=_text(report.title), title_justify="left")
    table.add_column("Id", no_wrap=True)
    table.add_column("Points", justify="right", no_wrap=True)
    table.add_column("Status", max_width=13)
    table.add_column("Question", ratio=1)
    for question in report.questions:
        table.add_row(*_cells(question), style="" if question.max_points else "dim")
    return table


def _cells(question: QuestionReport) -> tuple[Text, Text, Text, Text]:
    title = _text(question.title)
    why = one_line(reason(question))
    if why:
        title.append(f"\n{_shortened(why)}", style="italic" if question.max_points else "")
    return (
        _text(question.id),
        Text(earned(question)),
        Text(QUESTION_WORDS[question.status], style=COLOURS[question.status]),
        title,
    )


def _text(untrusted: str) -> Text:
    return Text(one_line(untrusted))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _rows(questions: tuple[QuestionReport, ...]) -> list[str]:
    """Return one line a question, columns aligned by spaces, reasons whole."""
    rows = [_row(question) for question in questions]
    widths = [max((cell_len(row[column]) for row in rows), default=0) for column in range(4)]
    return ["  ".join(map(_padded, row, [*widths, 0])).rstrip() for row in rows]


def _row(question: QuestionReport) -> tuple[str, str, str, str, str]:
    status = QUESTION_WORDS[question.status]
    title, why = one_line(question.title), one_line(reason(question))
    return one_line(question.id), earned(question), status, title, why


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _print_plain(lines: list[str], console: Console) -> None:
    for line in lines:
        # A pipe may speak less than Unicode; a report must not end in an encoding error.
        known = line.encode(console.encoding, "replace").decode(console.encoding)
        console.print(Text(known), soft_wrap=True)


def _totals(report: Report) -> list[str]:
    lines = [f"Score: {out_of(report.score, report.max_score)}"]
    if report.pending:
        lines.append(f"Waiting for a person: {points(report.pending)}")
    lines.append(f"Isolation: {one_line(report.isolation)}")
    lines.append(f"Graded {one_line(report.submission.id)} in {number(report.seconds)} s")
    lines += [f"Note: {one_line(note)}" for note in report.notes]
    return lines + [f"Repair: {one_line(repair_words(repair))}" for repair in report.repairs]
