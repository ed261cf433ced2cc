"""`grader doctor`: what works on this machine, found out by trying it."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import click
from nbformat.v4 import new_code_cell, new_notebook

from grader.assignment import RunSettings, bundled_assignments, load_assignment
from grader.errors import GraderError
from grader.execution.answered import AnsweredQuestion
from grader.execution.cgroups import memory_group
from grader.execution.isolation import CURE, Level, can_fork, candidates
from grader.execution.limits import COURSEWORK
from grader.execution.probing import failings, reached_level
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.execution.student import Student
from grader.records import CellStatus
from grader.reporting import environment

PROBE = """
import importlib.util
ours = [name for name in ("grader", "reference") if importlib.util.find_spec(name)]
answer = 42
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: whether it works, what was seen, how to mend it."""

    works: bool
    text: str


@click.command()
def doctor() -> int:
    """Tries out what grading needs and says what to mend.

    Starts a kernel, takes a snapshot of it, and looks whether the grader's own
    packages can be seen from inside. Exit code 1 where something does not work.
    """
    findings = [*_versions(), *_isolation(), *_kernel(), *_assignments()]
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.works else click.style("FAIL", fg="red")
        click.echo(f"{mark}  {finding.text}")
    return 0 if all(finding.works for finding in findings) else 1


def _versions() -> list[Finding]:
    packages = ", ".join(f"{name} {version}" for name, version in environment().items())
    return [Finding(True, f"{packages} on {platform.platform()}")]


def _kernel() -> list[Finding]:
    start = time.monotonic()
    try:
        return [*_forks(), *_probe_kernel(lambda: time.monotonic() - start)]
    except GraderError as error:
        return [Finding(False, f"a kernel could not be started: {error}")]


def _forks() -> list[Finding]:
    if can_fork():
        return []
    return [Finding(True, "this system cannot fork: copies of the variables serve as snapshots")]


def _probe_kernel(elapsed: Callable[[], float]) -> list[Finding]:
    notebook = new_notebook(cells=[new_code_cell(PROBE)])
    with Room({}, "probe.ipynb") as room:
        execution = run_notebook(notebook, {0, 1}, room, COURSEWORK, level=reached_level())
        try:
            ran = execution.cells[0].status is CellStatus.OK
            findings = [Finding(ran, f"a kernel started and ran a cell in {elapsed():.1f} s")]
            before, after = execution.snapshots.get(0), execution.snapshots.get(1)
            student = Student(AnsweredQuestion(before, after, (), "", COURSEWORK.check))
            findings.append(Finding(student.answer == 42, "a snapshot of it answers"))
            seen = ", ".join(student.ours) or "nothing"
            findings.append(Finding(seen == "nothing", f"of the grader's packages it sees {seen}"))
            student.close()
            return findings
        finally:
            execution.close()


def _isolation() -> list[Finding]:
    """The level reached, and what kept stronger ones from holding."""
    reached = reached_level()
    findings = []
    for level in candidates():
        reasons = ", ".join(failings(level)) or "a sandbox held everything in"
        findings.append(Finding(True, f"isolation {level.value}: {reasons}"))
    works = reached.suffices(RunSettings().isolation)
    text = f"submissions run at isolation level {reached.value}"
    findings.append(Finding(works, text if works else f"{text}. {CURE}"))
    return [*findings, _memory_bound()] if reached is not Level.NONE else findings


def _memory_bound() -> Finding:
    group = memory_group(int(COURSEWORK.memory))
    if group is None:
        return Finding(True, "their memory is bounded by a watchdog: no control group can be made")
    group.close()
    return Finding(True, f"their memory is bounded by control groups (v{group.version})")


def _assignments() -> list[Finding]:
    return [_assignment(name) for name in bundled_assignments()]


def _assignment(name: str) -> Finding:
    try:
        assignment = load_assignment(name)
        assignment.require_packages()
    except GraderError as error:
        return Finding(False, str(error))
    points = sum(question.points for question in assignment.questions)
    return Finding(True, f"{name}: {len(assignment.questions)} questions, {points:g} points")
