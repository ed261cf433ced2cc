"""The table reads well on a terminal and in a pipe."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.records import QuestionStatus, Report
from grader.reports import render_table
from grader.reports.wording import QUESTION_WORDS


def _piped(report: Report, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    render_table(report, Console(file=stream, force_terminal=False))
    stream.flush()
    return raw.getvalue().decode(encoding)


def _on_terminal(report: Report, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system="standard")
    render_table(report, console)
    return stream.getvalue()


def _long(report: Report) -> Report:
    question = report.questions[2]
    check = replace(question.checks[0], message="reason " * 300 + "END")
    return replace(report, questions=(replace(question, checks=(check,)),))


def test_a_pipe_gets_plain_lines(report: Report) -> None:
    """In a pipe there is neither colour nor a drawn line nor trailing space."""
    text = _piped(report)
    assert "\x1b" not in text
    assert not any("\u2500" <= letter <= "\u259f" for letter in text)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_pipe_gets_each_question_on_one_line(report: Report) -> None:
    """A question, its points, its status and its reason can be found with grep."""
    lines = _piped(report).splitlines()
    (line,) = [line for line in lines if line.startswith("1.4a")]
    for part in ("0 / 3", "failed", "Linear", "ValueError: shapes"):
        assert part in line


def test_a_pipe_gets_the_whole_reason(report: Report) -> None:
    """No reason is cut in a pipe."""
    assert "END" in _piped(_long(report))


def test_a_pipe_of_another_encoding(report: Report) -> None:
    """A letter that the pipe cannot carry becomes a question mark, not an exception."""
    assert "D?ep" in _piped(replace(report, title="Déep"), "ascii")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_is_never_too_narrow(report: Report, width: int) -> None:
    """On a terminal nothing of the table runs over the edge."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None)
    render_table(report, console)
    table = stream.getvalue().split("Score:")[0]
    assert max(map(len, table.splitlines())) <= width


def test_a_terminal_shortens_reasons(report: Report) -> None:
    """On a terminal a very long reason is cut, and a mark says so."""
    text = _on_terminal(_long(report))
    assert "END" not in text
    assert "…" in text


def test_a_status_is_a_word(report: Report) -> None:
    """Every status stands there as a word, so that colour is never needed."""
    text = _piped(report)
    for question in report.questions:
        assert QUESTION_WORDS[question.status] in text


def test_the_diagnosis_comes_before_the_message(report: Report) -> None:
    """Where a bug was recognised, its sentence is the reason."""
    assert "The gradient has the opposite sign." in _piped(report)


def test_why_nothing_was_attempted(report: Report) -> None:
    """Of a question that was not attempted, its note says more than its checks."""
    missing = "net/loss.py is not among the files"
    question = replace(report.questions[0], status=QuestionStatus.NOT_ATTEMPTED, notes=(missing,))
    assert missing in _piped(replace(report, questions=(question,)))


def test_the_totals(report: Report) -> None:
    """Score, waiting points, isolation, notes and repairs follow the questions."""
    text = _piped(report)
    for part in ("Score: 2.5 / 14", "5 points", "namespaces", "Handed in as a .zip"):
        assert part in text
    assert "Repair: `!pip install <b>x</b>` was not run (commands; cells 3, 65)" in text
    assert "Repair: numpy.int is int here (names; utils.py)" in text


def test_points_not_yet_given_are_no_zero(report: Report) -> None:
    """A written answer that nobody has read shows no points rather than none earned."""
    (line,) = [line for line in _piped(report).splitlines() if line.startswith("1.2d")]
    assert "- / 2" in line


def test_terminal_escapes_are_not_passed_on(report: Report) -> None:
    """A message cannot recolour, retitle or rewrite the teacher's terminal."""
    evil = "\x1b]0;title\x07\x1b[2J\x1b[31mred\r\x9b1m\u202e"
    question = replace(
        report.questions[2],
        title=evil,
        checks=(replace(report.questions[2].checks[0], message=evil),),
    )
    text = _piped(replace(report, title=evil, questions=(question,), notes=(evil,)))
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")
    assert "red" in text


def test_markup_is_text(report: Report) -> None:
    """What looks like rich's markup is printed as it is."""
    odd = replace(report, title="[red]x[/red] [/]", notes=("[bold]n[/nope]",))
    text = _piped(odd)
    assert "[red]x[/red] [/]" in text
    assert "[bold]n[/nope]" in text
    assert "[red]x[/red]" in _on_terminal(odd)


def test_no_questions(report: Report) -> None:
    """A report of a file that could not be graded still prints its totals."""
    empty = replace(report, questions=(), notes=("This is not a notebook.",))
    assert "This is not a notebook." in _piped(empty)
    assert "Score" in _on_terminal(empty)
