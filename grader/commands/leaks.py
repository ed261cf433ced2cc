"""`grader leaks`: what students must not have, in files that are to be released."""

from __future__ import annotations

from pathlib import Path

import click

from grader.assignment import load_assignment
from grader.releasing.scanning import assignments_below, scan


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--assignment",
    "names",
    multiple=True,
    metavar="ASSIGNMENT",
    help="Whose answers and hidden checks to look for; by default those of all assignments at or "
    "below the current folder. May be repeated.",
)
def leaks(files: tuple[Path, ...], names: tuple[str, ...]) -> int:
    """Looks for solutions, hidden checks and outputs in FILES that students will get.

    FILES are files and folders. What lies in an assignment's own folder is passed
    over: that is where solutions belong. Exit code 1 where something is found.

    This is what the pre-commit hook `grader-leaks` calls.

    \b
    Examples:
      grader leaks release
      grader leaks week_1.ipynb --assignment ../private/week_1
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    known = [load_assignment(name) for name in names] or assignments_below(Path.cwd())
    found = scan(files, known)
    for leak in found.leaks:
        click.echo(leak)
    compared = ", ".join(assignment.slug for assignment in known) or "no assignment"
    passed = f", {len(found.sources)} of authors passed over" if found.sources else ""
    click.echo(
        f"{len(found.leaks)} leaks in {found.looked_at} files, compared with {compared}{passed}"
    )
    return 1 if found.leaks else 0
