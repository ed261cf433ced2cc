"""`grader package`: what runs an assignment on Gradescope, GitHub, GitLab or Classroom 50."""

from __future__ import annotations

from pathlib import Path

import click

from grader.assignment import load_assignment
from grader.ci.packaging import SYSTEMS, Options
from grader.ci.writing import write_folder, write_zip
from grader.commands.options import isolation_option


@click.command()
@click.argument("assignment")
@click.option(
    "--for", "system", type=click.Choice(list(SYSTEMS)), required=True, help="Where it is to run."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="PATH",
    help="A zip file for gradescope, a new or empty folder for the others.",
)
@isolation_option
@click.option(
    "--minutes",
    type=float,
    default=10.0,
    show_default=True,
    help="Gradescope's time limit, as it is set there.",
)
def package(
    assignment: str, system: str, output: Path, isolation: str | None, minutes: float
) -> int:
    """Writes what runs an assignment elsewhere, with this very grader in it.

    For gradescope, a zip file with the solution and the hidden checks: it is for
    instructors alone. For github and gitlab, a repository to start students
    from, and for classroom50 the assignment's folder of autograders: students
    can read these, so they hold the student's bundle and no more.

    \b
    Examples:
      grader package radboud_a1 --for gradescope -o autograder.zip
      grader package radboud_a1 --for github -o template
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    options = Options(isolation or "", minutes)
    files = SYSTEMS[system](load_assignment(assignment), options)
    write = write_zip if system == "gradescope" else write_folder
    write(files, output)
    size = sum(map(len, files.values())) / 1e6
    click.echo(f"wrote {output}: {len(files)} files, {size:.1f} MB")
    return 0
