"""`grader grade`: one submission."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader import pipeline
from grader.assignment import Experiments
from grader.commands.options import (
    give_out,
    isolation_option,
    json_option,
    output_option,
    repairs_option,
)
from grader.execution.runner import Progress as CellProgress
from grader.records import Report
from grader.reports import render_table, to_json
from grader.reports.files import write_reports


@click.command()
@click.argument("assignment")
@click.argument("submission", type=click.Path(path_type=Path))
@output_option("report.json, report.html (instructor) and feedback.html (student)")
@json_option("the report", "the table")
@isolation_option
@click.option(
    "--experiments",
    type=click.Choice([choice.value for choice in Experiments]),
    help="Whether cells that the assignment marks as experiments are run, with the constants and "
    "in the time that it sets; instead of the assignment's own setting.",
)
@repairs_option
def grade(
    assignment: str,
    submission: Path,
    output: Path | None,
    json_file: Path | None,
    isolation: str | None,
    experiments: str | None,
    repairs: tuple[str, ...] | None,
) -> int:
    """Grades one submission, question by question.

    ASSIGNMENT is a folder with an assignment.toml, or the name of a bundled
    one. SUBMISSION is a notebook (.ipynb), or a folder or .zip with one, or
    with the modules that the assignment asks for.

    \b
    Examples:
      grader grade radboud_a1 hand-in.ipynb
      grader grade radboud_a1 hand-in.ipynb -o out
      grader grade gatech_ps1 hw1_code.zip
      grader grade ./my_assignment hand-in.zip --json - | jq .score
      grader grade kiel_lab4 hand-in.ipynb --experiments run
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    report = grade_with_progress(assignment, submission, isolation, experiments, repairs)
    give_out(
        "the report",
        to_json(report),
        lambda: render_table(report, Console()),
        lambda: write_reports(report, output) if output else [],
        json_file,
    )
    return 0


def grade_with_progress(
    assignment: str | Path,
    submission: Path,
    isolation: str | None = None,
    experiments: str | None = None,
    repairs: tuple[str, ...] | None = None,
) -> Report:
    """Grades with a bar on the terminal's stderr that counts the cells."""
    with _progress(submission.name) as progress:
        return pipeline.grade(
            assignment,
            submission,
            isolation=isolation,
            experiments=experiments,
            repairs=repairs,
            progress=progress,
        )


@contextmanager
def _progress(name: str) -> Iterator[CellProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(f"running {name}", total=None)

        def show(done: int, total: int) -> None:
            description = f"running {name}" if done < total else "checking"
            bar.update(task, completed=done, total=total, description=description)

        yield show
