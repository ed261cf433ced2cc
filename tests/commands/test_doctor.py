"""`grader doctor`: what it tries, and what it says where something does not work."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from grader.assignment import bundled_assignments
from grader.commands import doctor as module
from grader.commands.doctor import Finding, doctor
from grader.errors import AssignmentError, ExecutionFault
from grader.execution.isolation import CURE, Level, candidates


def test_works_here() -> None:
    """Where these tests run, a kernel starts, its snapshot answers, and the grader is hidden."""
    ran = CliRunner().invoke(doctor, standalone_mode=False)
    assert ran.return_value == 0, ran.output
    assert "FAIL" not in ran.output
    for words in ("a kernel started", "a snapshot of it answers", "it sees nothing", "isolation"):
        assert words in ran.output
    assert all(name in ran.output for name in bundled_assignments())


def test_kernel_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that does not start is a failure, told with its reason, and code 1."""

    def fail(*arguments: object, **settings: object) -> None:
        raise ExecutionFault("no room on this machine")

    monkeypatch.setattr(module, "run_notebook", fail)
    ran = CliRunner().invoke(doctor, standalone_mode=False)
    assert ran.return_value == 1
    assert "FAIL  a kernel could not be started: no room on this machine" in ran.output


def test_system_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that cannot fork it is said what serves as snapshots, and tried."""
    monkeypatch.setattr(module, "can_fork", lambda: False)
    ran = CliRunner().invoke(doctor, [], standalone_mode=False)
    assert "ok    this system cannot fork: copies of the variables" in ran.output
    assert "ok    a snapshot of it answers" in ran.output


def test_isolation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each level is named with what keeps it from holding, and too weak a one with the cure."""
    first, second = candidates()
    monkeypatch.setattr(module, "_kernel", list)
    monkeypatch.setattr(module, "failings", lambda level: ("read file", "cannot import numpy"))
    monkeypatch.setattr(module, "reached_level", lambda: Level.NONE)
    ran = CliRunner().invoke(doctor, standalone_mode=False)
    assert ran.return_value == 1
    for level in (first, second):
        assert f"ok    isolation {level.value}: read file, cannot import numpy" in ran.output
    assert f"FAIL  submissions run at isolation level none. {CURE}" in ran.output


def test_assignment_that_lacks_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """An assignment that cannot be graded here is a failure with the cure in it."""

    def fail(name: str) -> None:
        raise AssignmentError(f"{name} needs packages: python -m pip install")

    monkeypatch.setattr(module, "load_assignment", fail)
    monkeypatch.setattr(module, "_kernel", lambda: [Finding(True, "skipped")])
    ran = CliRunner().invoke(doctor, standalone_mode=False)
    assert ran.return_value == 1
    assert "needs packages: python -m pip install" in ran.output
