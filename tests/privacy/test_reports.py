"""Masked and anonymous reports: in no renderer does anything of a person remain."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from rich.console import Console

from grader.lms.gradescope import results_json
from grader.lms.junit import junit_xml
from grader.privacy import People, anonymous, masked
from grader.records import (
    AnswerCell,
    AnswerFile,
    CandidateCell,
    CellEnding,
    CellOutput,
    CellRun,
    CellStatus,
    CheckResult,
    CheckStatus,
    Diagnosis,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Repair,
    Report,
    SubmissionRecord,
)
from grader.reports import render_instructor, render_student, render_table, to_json

ADDRESS = "ada@uni.nl"
PICTURE = "iVBORw0KGgo="
PEOPLE = People(frozenset({"s1234567"}), frozenset({"s1234567"}), frozenset({"Ada Larkwood"}))


def full(text: str) -> Report:
    """A report with this text wherever a student's or a system's can stand."""
    check = CheckResult(
        *("test_a", "a is right", False, CheckStatus.FAILED, 0.0, 2.0, f"got {text}", "student"),
        Diagnosis("odd", f"it is {text}", 0.9),
    )
    outputs = (CellOutput("text/plain", text), CellOutput("image/png", PICTURE))
    question = QuestionReport(
        *("1a", "the first", QuestionKind.CODE, 0.0, 2.0, QuestionStatus.FAILED, (0, 1), (check,)),
        (
            AnswerCell(0, "code", f"x = 1  # {text}", outputs),
            AnswerCell(1, "markdown", f"by {text}"),
        ),
        (AnswerFile("models/net.py", 1, f"'''{text}'''"), AnswerFile("ada.md", 1, text)),
        (f"noted {text}",),
        *(0.4, (f"below {text}",), (CandidateCell(2, f"# by {text}"),)),
    )
    run = CellRun(0, CellStatus.ERROR, 0.1, f"E: {text}", CellEnding.RAISED, f"ran {text}")
    record = SubmissionRecord(
        "s1234567", ("hw/models/net.py", "ada larkwood.ipynb", "ada.md"), "00ff"
    )
    fields = (0.0, 2.0, 0.0, "none", {}, 1.0)
    repair = Repair("names", f"{text} was replaced", (0,), ("ada.md",))
    notes = (f"whole {text}",)
    return Report("a1", "One", record, *fields, (question,), (run,), notes, (repair,))


def terminal(report: Report) -> str:
    """What is printed."""
    console = Console(record=True, width=300, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    render_table(report, console)
    return console.export_text()


RENDERERS: dict[str, Callable[[Report], str]] = {
    "json": to_json,
    "instructor": render_instructor,
    "student": render_student,
    "terminal": terminal,
    "junit": lambda report: junit_xml([(report.submission.id, report)]).decode(),
    "gradescope": lambda report: json.dumps(results_json(report)),
}


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_renderer_shows_it(renderer: str) -> None:
    """What is masked in a report is in none of its forms; unmasked, it would be."""
    render = RENDERERS[renderer]
    assert ADDRESS in render(full(ADDRESS))
    assert ADDRESS not in render(masked(full(ADDRESS)))


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_renderer_shows_who(renderer: str) -> None:
    """An anonymous report has neither id nor name nor the names of files nor their hash."""
    text = "s1234567 Ada Larkwood, ada larkwood.ipynb"
    report = anonymous(full(text), "anon-abc234", PEOPLE, ["models/net.py"])
    shown = RENDERERS[renderer](report).casefold()
    for known in ("s1234567", "1234567", "larkwood", "00ff", "ada.md"):
        assert known not in shown
    assert renderer == "gradescope" or "anon-abc234" in shown


def test_what_stays() -> None:
    """Pictures, scores, what the author wrote, and the assignment's own files stay."""
    report = full("nothing")
    assert masked(report) == report
    hidden = anonymous(report, "anon-abc234", PEOPLE, ["models/net.py"])
    assert hidden.submission == SubmissionRecord(
        "anon-abc234", ("file-1.ipynb", "file-2.md", "models/net.py"), ""
    )
    assert hidden.questions[0].checks == report.questions[0].checks
    assert hidden.questions[0].answer[0].outputs[1] == CellOutput("image/png", PICTURE)
    assert (hidden.score, hidden.title) == (report.score, report.title)


def test_twice() -> None:
    """A report that is masked or anonymous already stays as it is."""
    report = masked(full(ADDRESS), PEOPLE)
    assert masked(report, PEOPLE) == report
