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
from grader.errors import UsageError
from grader.execution.isolation import Level
from grader.execution.runner import Progress as CellProgress
from grader.records import Report
from grader.reports import render_table, to_json
from grader.reports.files import write_reports

isolation_option = click.option(
    "--isolation",
    type=click.Choice([level.value for level in Level]),
    help="The least isolation accepted, instead of the assignment's own. The strongest that this "
    "machine offers is used in any case; `none` also accepts a machine that offers nothing.",
)


@click.command()
@click.argument("assignment")
@click.argument("submission", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.json, report.html (instructor) and feedback.html (student) here.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the report as JSON to FILE, or - for the terminal (instead of the table).",
)
@isolation_option
@click.option(
    "--experiments",
    type=click.Choice([choice.value for choice in Experiments]),
    help="Whether cells that the assignment marks as experiments are run, with the constants and "
    "in the time that it sets; instead of the assignment's own setting.",
)
def grade(
    assignment: str,
    submission: Path,
    output: Path | None,
    json_file: Path | None,
    isolation: str | None,
    experiments: str | None,
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
    report = grade_with_progress(assignment, submission, isolation, experiments)
    to_terminal = json_file is not None and str(json_file) == "-"
    if to_terminal:
        click.echo(to_json(report))
    else:
        render_table(report, Console())
    try:
        if json_file is not None and not to_terminal:
            json_file.parent.mkdir(parents=True, exist_ok=True)
            json_file.write_text(to_json(report), encoding="utf-8")
        if output is not None:
            for path in write_reports(report, output):
                click.echo(f"wrote {path}", err=to_terminal)
    except OSError as error:
        raise UsageError(f"the report cannot be written: {error}") from error
    return 0


def grade_with_progress(
    assignment: str | Path,
    submission: Path,
    isolation: str | None = None,
    experiments: str | None = None,
) -> Report:
    """Grades with a bar on the terminal's stderr that counts the cells."""
    with _progress(submission.name) as progress:
        return pipeline.grade(
            assignment,
            submission,
            isolation=isolation,
            experiments=experiments,
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
