"""The report on a graded hand-in: its answers and notes, and the contract's keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from nbformat import NotebookNode, v4

from grader import grade, reports
from grader.assignment import Assignment
from grader.records import CellStatus, Report
from grader.reporting import environment
from grader.reports import from_json, to_json
from grader.submission import Submission

PIXEL = "iVBORw0KGgo="
REPORT_KEYS = {
    *("schema", "assignment", "submission", "score", "max_score", "pending", "isolation"),
    *("environment", "seconds", "questions", "execution"),
}
QUESTION_KEYS = {"id", "title", "kind", "points", "max_points", "status", "cells", "checks"}
CHECK_KEYS = {
    *("name", "description", "hidden", "status", "points", "max_points"),
    *("message", "cause", "diagnosis"),
}


def outputs() -> list[NotebookNode]:
    """What the student's own run left in a cell."""
    figure = {"image/png": PIXEL, "text/plain": "<Figure>"}
    return [
        v4.new_output("stream", text="epoch 1\n"),
        v4.new_output("display_data", data=figure),
        v4.new_output("display_data", data={"application/x-unknown": "?"}),
        v4.new_output("error", ename="ValueError", evalue="no"),
    ]


@pytest.fixture(scope="module")
def report(tiny: Assignment) -> Report:
    """A hand-in with a wrong gradient, recorded outputs and a cell that raises."""
    notebook = tiny.release.copy()
    notebook.cells = [cell.copy() for cell in tiny.solution.cells]
    notebook.cells[
        4
    ].source = "def square(x):\n    return x * x\n\n\ndef square_grad(x):\n    return x"
    notebook.cells[4].outputs = outputs()
    notebook.cells[10].source = "sum_of_squares = undefined_name"
    return grade(tiny, Submission("ann", "hw.ipynb", notebook, {"hw.ipynb": b"{}"}))


def test_round_trip(report: Report) -> None:
    """The report's JSON reads back as the same report."""
    assert from_json(to_json(report)) == report


def test_contract(report: Report) -> None:
    """The JSON has every key that others rely on, and follows the schema in the package."""
    fields: dict[str, Any] = json.loads(to_json(report))
    assert fields.keys() >= REPORT_KEYS
    assert fields["submission"].keys() >= {"id", "files", "sha256"}
    assert all(question.keys() >= QUESTION_KEYS for question in fields["questions"])
    checks = [check for question in fields["questions"] for check in question["checks"]]
    assert all(check.keys() >= CHECK_KEYS for check in checks)
    assert all(run.keys() >= {"cell", "status", "seconds", "error"} for run in fields["execution"])
    schema = Path(reports.__file__).with_name("report.schema.json")
    jsonschema.validate(fields, json.loads(schema.read_text(encoding="utf-8")))


def test_identity(report: Report) -> None:
    """The report names the assignment, the hand-in, the isolation and the versions."""
    assert (report.assignment, report.title) == ("tiny", "A tiny assignment")
    assert (report.submission.id, report.submission.files) == ("ann", ("hw.ipynb",))
    assert report.isolation
    assert report.environment.keys() >= {"python", "numpy", "nn-grader"}


def test_every_cell_was_run(report: Report) -> None:
    """Each code cell's run is told, in order."""
    assert [run.cell for run in report.execution] == [1, 4, 5, 10, 12, 14]
    assert report.execution[3].status is CellStatus.ERROR
    assert report.execution[3].error.startswith("NameError: name 'undefined_name'")


def test_answers_as_handed_in(report: Report) -> None:
    """A question shows its cells, with the outputs that can be shown, figures as images."""
    cell = report.questions[0].answer[0]
    assert (cell.cell, cell.cell_type) == (4, "code")
    assert cell.source.startswith("def square(x):")
    assert [(output.media_type, output.data) for output in cell.outputs] == [
        ("text/plain", "epoch 1\n"),
        ("image/png", PIXEL),
        ("text/plain", "ValueError: no"),
    ]


def test_failed_cells_are_noted(report: Report) -> None:
    """A question whose cell raised says so: it is why its checks fail."""
    question = report.questions[2]
    assert question.id == "2a"
    assert question.notes[0].startswith("cell 10 raised NameError")
    assert "`sum_of_squares` is not defined" in question.checks[0].message


def test_evidence(report: Report) -> None:
    """A failed gradient check keeps what it measured."""
    check = report.questions[0].checks[1]
    assert check.name == "test_square_grad"
    assert check.evidence is not None


def test_environment() -> None:
    """Packages that are not installed are left out."""
    assert all(environment().values())


def test_error_of_a_student_cannot_break_the_note(
    tiny: Assignment, answered: Callable[..., Submission]
) -> None:
    """An exception whose name begins small is still told as raised."""
    source = "class oops(Exception): pass\nraise oops('!')"
    question = grade(tiny, answered(**{"q2c-answer": source})).questions[4]
    assert "cell 14 raised oops: !" in question.notes
