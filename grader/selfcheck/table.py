"""The outcome of a self-check on the terminal: a table, and what to do about each failure."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.records import CheckStatus, QuestionKind, QuestionReport, QuestionStatus, Report
from grader.reports.plain import one_line
from grader.reports.wording import number
from grader.selfcheck.advice import Advice, advise, blank_cells
from grader.selfcheck.checking import PARTLY, failures

HIDDEN_TOO = "Your work is graded with more checks than these."
GREEN, RED, YELLOW, DIM = "green", "red", "yellow", "dim"


def render(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Prints the questions, then each failure; with `verbose` also what passed."""
    rows = [(one_line(q.id), *outcome(q), one_line(q.title)) for q in report.questions]
    if console.is_terminal:
        console.print(_table(one_line(report.title), rows))
    else:
        _print_columns(rows, console)
    for question in report.questions:
        # Of a whole notebook that is being worked on, most is not there yet.
        for line in details(question, verbose=verbose, blanks=len(report.questions) == 1):
            _print(line, console)
    for line in _totals(report):
        _print(line, console)


def outcome(question: QuestionReport) -> tuple[str, str, str]:
    """A question's passed checks out of all, its outcome in words, and the colour of these."""
    checks = question.checks
    passed = sum(check.status is CheckStatus.PASSED for check in checks)
    of_all = f"{passed}/{len(checks)}" if checks else "-"
    if question.kind is not QuestionKind.CODE:
        return of_all, "read by a person", DIM
    if not checks:
        return of_all, "no check at home", DIM
    if passed == len(checks):
        return of_all, "passed", GREEN
    if question.status is QuestionStatus.NOT_ATTEMPTED:
        return of_all, "not answered yet", YELLOW
    failed = [c for c in checks if c.status in (CheckStatus.FAILED, CheckStatus.TIMEOUT)]
    return (of_all, "failed", RED) if failed else (of_all, "not judged", YELLOW)


def details(
    question: QuestionReport, *, verbose: bool = False, blanks: bool = True
) -> Iterator[Text]:
    """What is said of a question below the table, line by line; with `blanks` of missing ones."""
    if question.status is QuestionStatus.NOT_ATTEMPTED and question.checks:
        if blanks:
            yield Text(f"\n{one_line(question.id)}  {one_line(question.title)}", "bold")
            yield Text(f"  {blank_cells(question)}")
        return
    shown = list(question.checks) if verbose else failures(question)
    if not shown:
        return
    yield Text(f"\n{one_line(question.id)}  {one_line(question.title)}", "bold")
    for check in shown:
        if check.status is CheckStatus.PASSED:
            yield Text(f"  ✓ {one_line(check.name)}: {one_line(check.description)}", GREEN)
            continue
        mark = {CheckStatus.FAILED: "✗", CheckStatus.TIMEOUT: "✗"}.get(check.status, "?")
        advice = advise(check)
        yield Text(f"  {mark} {one_line(check.name)}: {advice.sentence}", RED)
        yield from (Text(f"      {line}") for line in lines_of(advice))
    yield from (Text(f"  note: {one_line(note)}", DIM) for note in question.notes)


def lines_of(advice: Advice) -> list[str]:
    """What follows the sentence."""
    said = (
        ("what is asked", advice.hint),
        ("what it looks like", advice.diagnosis),
        ("try", advice.attempt),
    )
    return [f"{what}: {text}" for what, text in said if text]


def _table(title: str, rows: list[tuple[str, str, str, str, str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=Text(title), title_justify="left")
    table.add_column("Id", no_wrap=True)
    table.add_column("Checks", justify="right", no_wrap=True)
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Question", ratio=1)
    for identity, of_all, words, colour, title_ in rows:
        table.add_row(Text(identity), of_all, Text(words, colour), Text(title_))
    return table


def _print_columns(rows: list[tuple[str, str, str, str, str]], console: Console) -> None:
    shown = [(identity, of_all, words, title) for identity, of_all, words, _, title in rows]
    widths = [max((cell_len(row[i]) for row in shown), default=0) for i in range(3)]
    for row in shown:
        cells = [text + " " * (width - cell_len(text)) for text, width in zip(row, widths)]  # noqa: B905
        _print(Text("  ".join([*cells, row[3]])), console)


def _totals(report: Report) -> Iterator[Text]:
    checks = [check for question in report.questions for check in question.checks]
    passed = sum(check.status is CheckStatus.PASSED for check in checks)
    what = "check" if len(checks) == 1 else "checks"
    yield Text(f"\n{passed} of {len(checks)} {what} passed, in {number(report.seconds)} s.", "bold")
    yield Text(HIDDEN_TOO, DIM)
    yield from (Text(f"Note: {one_line(n)}", DIM) for n in report.notes if n != PARTLY)


def _print(text: Text, console: Console) -> None:
    # A pipe may speak less than Unicode; a check must not end in an encoding error.
    known = text.plain.encode(console.encoding, "replace").decode(console.encoding)
    console.print(Text(known, text.style), soft_wrap=not console.is_terminal)
