"""A step of a GitHub workflow, run as the action has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from ci_reports import HOSTILE

from grader.assignment import Assignment
from grader.ci.github import tell
from grader.ci.grading import OUR_FAULT, Graded
from grader.ci.packaging import Options, github
from grader.ci.writing import write_folder
from grader.records import Report
from grader.submission import Submission

ACTION = ".github/actions/grade/action.yml"


@pytest.fixture
def repository(tiny: Assignment, tmp_path: Path) -> Path:
    """A student's repository, made from the template."""
    write_folder(github(tiny, Options()), tmp_path / "repository")
    return tmp_path / "repository"


def loaded(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def step_of(action: Any, name: str) -> Any:
    """The step of an action by its name."""
    return next(step for step in action["runs"]["steps"] if step.get("name") == name)


def run_step(repository: Path, temporary: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Runs a step's script as GitHub does, with the inputs' defaults."""
    action = loaded(repository / ACTION)
    inputs = {f"${{{{ inputs.{n} }}}}": i["default"] for n, i in action["inputs"].items()}
    step = step_of(action, name)
    given = {key: inputs[value] for key, value in step["env"].items()}
    runner = {
        "RUNNER_TEMP": str(temporary),
        "GITHUB_WORKSPACE": str(repository),
        "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        "GITHUB_OUTPUT": str(temporary / "output"),
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=repository,
        env={"PATH": os.environ["PATH"], **runner, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_step(repository: Path, answered: Callable[..., Submission], tmp_path: Path) -> None:
    """A push with a wrong answer: exit code, annotation, summary, outputs and artifact."""
    source = f"print({HOSTILE!r})\ndef square(x):\n    raise ValueError({HOSTILE!r})\n"
    notebook = answered(**{"q1a-answer": source}).notebook
    nbformat.write(notebook, repository / "tiny" / "tiny.ipynb")
    temporary = tmp_path / "temp"
    python = temporary / "grader" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    python.unlink()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    run = run_step(repository, temporary, "Grade")
    assert run.returncode == 1, run.stderr
    commands = [line for line in run.stdout.splitlines() if "::" in line or "##[" in line]
    assert all(
        line.startswith(("::error file=tiny/tiny.ipynb,line=", "::notice ")) for line in commands
    )
    number = int(commands[0].split("line=")[1].split(",")[0])
    lines = (repository / "tiny" / "tiny.ipynb").read_text().split("\n")
    assert "print(" in lines[number - 1]
    outputs = dict(line.split("=", 1) for line in (temporary / "output").read_text().splitlines())
    assert outputs.keys() == {"score", "max-score", "pending", "classroom"}
    assert (outputs["score"], outputs["max-score"]) == ("0", "5")
    assert "the square" in (temporary / "summary.md").read_text()
    kept = temporary / "feedback"
    assert sorted(path.name for path in kept.iterdir()) == ["feedback.html", "report.json"]
    report = json.loads((kept / "report.json").read_text())
    # Visible checks do not lie beside the student's code.
    assert report["submission"]["files"] == ["tiny.ipynb"]


def test_workflow_and_action(repository: Path) -> None:
    """The workflow calls the action that is there; no script holds an expression of GitHub's."""
    workflow, action = (
        loaded(repository / ".github/workflows/grade.yml"),
        loaded(repository / ACTION),
    )
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["grade"]["steps"]
    assert (repository / steps[1]["uses"] / "action.yml").is_file()
    assert steps[0]["with"] == {"persist-credentials": False}
    # What an expression puts into a script is run: it may only stand in `env`.
    assert not any("${{" in step.get("run", "") for step in action["runs"]["steps"])
    outputs = {name: output["value"] for name, output in action["outputs"].items()}
    assert all(outputs[name] == f"${{{{ steps.grade.outputs.{name} }}}}" for name in outputs)
    assert step_of(action, "Keep the feedback")["if"] == "${{ always() }}"


def test_fault(tmp_path: Path) -> None:
    """Details of a fault stand between commands that switch commands off."""
    lines = tell(Graded(None, OUR_FAULT, HOSTILE, HOSTILE), tmp_path, tmp_path / "out", {})
    assert lines[0].startswith("::error title=A fault of the grader's::wrong%0A")
    token = lines[1].removeprefix("::stop-commands::")
    assert lines[-1] == f"::{token}::"
    assert token not in HOSTILE
    assert not (tmp_path / "out").exists()


def test_summary_leaves_room(report: Report, tmp_path: Path) -> None:
    """What stands in the summary already counts against GitHub's limit."""
    path = tmp_path / "summary.md"
    path.write_text("x" * ((1024 << 10) - 600))
    tell(Graded(report, 1), tmp_path, tmp_path / "out", {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.stat().st_size <= 1024 << 10
