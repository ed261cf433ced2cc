"""`python -m grader.ci SYSTEM`: what the packaged scripts call.

Exit codes as of the grader's commands: 0 done, 1 something failed, 2 what was given cannot be
used, 3 a fault of the grader's own. Classroom 50 wants 0 for every graded outcome.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from grader.ci import github as github_step
from grader.ci import gradescope as container
from grader.ci.classroom import result_json
from grader.ci.files import write_for_student
from grader.ci.grading import OUR_FAULT, UNUSABLE, Graded, faults, grade_one
from grader.ci.summary import points_table
from grader.errors import UsageError
from grader.execution.isolation import Level
from grader.lms.junit import junit_xml
from grader.reports.files import write_whole
from grader.reports.plain import one_line

_assignment = click.argument("assignment")
_submission = click.argument("submission", type=click.Path(path_type=Path))
_output = click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True
)
_isolation = click.option(
    "--isolation", type=click.Choice(["", *(level.value for level in Level)]), default=""
)


@click.group()
def systems() -> None:
    """Grades one submission, and says so in the words of a system."""


@systems.command()
@click.option("--root", type=click.Path(path_type=Path), required=True)
@click.option("--grade", is_flag=True, help="In this very process.")
def gradescope(root: Path, grade: bool) -> int:
    """Grades what lies in ROOT/submission, and writes ROOT/results/results.json."""
    return container.grade(root) if grade else container.watch(root)


@systems.command()
@_assignment
@_submission
@_output
@_isolation
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although questions lack points.")
def github(assignment: str, submission: Path, output: Path, isolation: str, exit_zero: bool) -> int:
    """Grades in a step of a workflow: annotations, summary, outputs and an artifact's files."""
    graded = grade_one(assignment, submission, isolation=isolation)
    for line in github_step.tell(graded, submission, output, os.environ):
        click.echo(line)
    return 0 if exit_zero and graded.code == 1 else graded.code


@systems.command()
@_assignment
@_submission
@_output
@_isolation
def gitlab(assignment: str, submission: Path, output: Path, isolation: str) -> int:
    """Grades in a job: junit.xml beside the feedback, and a table in the log."""
    graded = grade_one(assignment, submission, isolation=isolation)
    if graded.report is not None:
        write_for_student(graded.report, output)
        content = junit_xml([(graded.report.assignment, graded.report)])
        (output / "junit.xml").write_bytes(content)
        click.echo("\n".join(points_table(graded.report)))
    _say_fault(graded)
    return graded.code


@systems.command()
@_assignment
@_submission
@_output
@_isolation
def classroom50(assignment: str, submission: Path, output: Path, isolation: str) -> int:
    """Grades for Classroom 50: result.json, and 0 wherever the work was judged."""
    graded = grade_one(assignment, submission, isolation=isolation)
    _say_fault(graded)
    report = graded.report
    if report is None:
        return graded.code
    if any(faults(report)):
        click.echo("a check or the grader failed: no result, lest it cost points", err=True)
        return OUR_FAULT
    try:
        result = result_json(report, os.environ, datetime.now(UTC), fault=graded.fault)
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        return UNUSABLE
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "result.json", json.dumps(result, indent=1) + "\n")
    return 0


def _say_fault(graded: Graded) -> None:
    if graded.fault:
        whose = "Fault of the grader" if graded.code == OUR_FAULT else "Error"
        click.echo(f"{whose}: {one_line(graded.fault)}", err=True)
    if graded.details:
        click.echo(graded.details, err=True)


def main() -> int:
    """Runs one of them; returns the exit code."""
    try:
        return systems.main(prog_name="python -m grader.ci", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
