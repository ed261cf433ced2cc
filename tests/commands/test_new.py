"""`grader new`: a scaffold that passes its audit, and imports that say what they lack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from grader.assignment import load_assignment
from grader.audit.auditing import AuditOptions, audit
from grader.releasing import make_bundle

Call = Callable[..., int]
ANSWER = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader new ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "new")


def test_scaffold_passes_its_audit(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new assignment keeps every promise, kills every mutant, and can be released."""
    assert call(tmp_path / "week_1") == 0
    assert capsys.readouterr().out.endswith(f"Next: grader audit {tmp_path}/week_1\n")
    assignment = load_assignment(tmp_path / "week_1")
    report = audit(assignment, AuditOptions(jobs=2))
    assert report.passed
    assert report.survivors == ()
    assert report.remarks == ()
    assert report.idle_checks == ()
    assert set(make_bundle(assignment).checks.released) == {"test_loss", "test_gradient"}


@pytest.mark.parametrize("name", ["Week 1", "1week", "week-1", "Week"])
def test_name(call: Call, tmp_path: Path, name: str) -> None:
    """The name is one that Python files can have."""
    assert call(tmp_path / name) == 2


def test_folder_is_there(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written over."""
    (tmp_path / "week_1").mkdir()
    assert call(tmp_path / "week_1") == 2
    assert "is there already" in capsys.readouterr().err


def test_from(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be carried over is printed, and stands in the README."""
    cells = [v4.new_markdown_cell("Identity."), v4.new_code_cell(ANSWER)]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "old.ipynb")
    assert call(tmp_path / "week_1", "--from", tmp_path / "old.ipynb") == 0
    out = capsys.readouterr().out
    note = "q1: it has no check yet: write one in checks/"
    assert "(solution markers): 1 questions and 0 checks\n" in out
    assert f"  {note}\n" in out
    assert f"- {note}\n" in (tmp_path / "week_1" / "README.md").read_text()
    assert load_assignment(tmp_path / "week_1").questions[0].id == "q1"


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_no_notebook(call: Call, tmp_path: Path, content: str | None) -> None:
    """A file that is missing or no notebook is the user's error, and nothing is made."""
    if content is not None:
        (tmp_path / "old.ipynb").write_text(content)
    assert call(tmp_path / "week_1", "--from", tmp_path / "old.ipynb") == 2
    assert not (tmp_path / "week_1").exists()
