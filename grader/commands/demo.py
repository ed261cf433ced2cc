"""`grader demo`: a first run, on an example that comes with the grader."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from grader.assignment import load_assignment
from grader.commands.grade import grade_with_progress
from grader.commands.options import isolation_option
from grader.execution.isolation import Level
from grader.reports import render_table
from grader.reports.files import write_reports

ASSIGNMENT = "radboud_a1"
EXAMPLE = "examples/mixed.ipynb"


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("grader-demo"),
    show_default=True,
    metavar="DIR",
    help="Where the reports go.",
)
@isolation_option
@click.option("--open", "open_report", is_flag=True, help="Open the report in a browser.")
def demo(output: Path, open_report: bool, isolation: str | None) -> int:
    """Grades an example hand-in of the bundled assignment radboud_a1.

    The example has right answers, wrong ones and gaps; its report shows what
    each looks like.
    """
    example = load_assignment(ASSIGNMENT).folder / EXAMPLE
    click.echo(f"grading an example hand-in of {ASSIGNMENT}; this takes some ten seconds", err=True)
    # The example is the grader's own, and may run where nothing keeps it apart.
    report = grade_with_progress(ASSIGNMENT, example, isolation or Level.NONE.value)
    render_table(report, Console())
    page, feedback, _ = (path.resolve() for path in write_reports(report, output))
    click.echo(f"\nThe instructor's report: {page}\nThe student's feedback:  {feedback}")
    click.echo(f"Next: grader grade {ASSIGNMENT} YOUR_NOTEBOOK.ipynb -o out")
    if open_report:
        click.launch(str(page))
    return 0
