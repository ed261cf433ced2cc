"""`grader demo`: a first run that shows what each kind of answer looks like."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from grader.alignment import align
from grader.assignment import load_assignment
from grader.commands import demo as module
from grader.commands.demo import demo
from grader.reports import from_json
from grader.submission import load_submission

TINY = Path(__file__).parents[1] / "tiny"


@pytest.fixture
def tiny_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo on the tiny assignment, which runs in a second."""
    monkeypatch.setattr(module, "ASSIGNMENT", str(TINY))
    monkeypatch.setattr(module, "EXAMPLE", "solution.ipynb")


@pytest.mark.usefixtures("tiny_demo")
def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints the table, writes the three files and says where they are and what comes next."""
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    ran = CliRunner().invoke(demo, ["-o", str(tmp_path / "out"), "--open"], standalone_mode=False)
    assert ran.return_value == 0, ran.output
    assert "Score: 4 / 5" in ran.output
    assert "Next: grader grade" in ran.output
    for name in ("report.html", "feedback.html"):
        assert str(tmp_path / "out" / name) in ran.output
        assert (tmp_path / "out" / name).is_file()
    assert from_json((tmp_path / "out" / "report.json").read_text()).score == 4.0
    assert opened == [str(tmp_path / "out" / "report.html")]


def test_example() -> None:
    """The bundled example fits its assignment: some questions are answered, some are not."""
    assignment = load_assignment(module.ASSIGNMENT)
    example = load_submission(assignment.folder / module.EXAMPLE)
    answers = align(assignment, example.notebook).values()
    assert all(answer.found for answer in answers)
    assert {answer.attempted for answer in answers} == {True, False}
