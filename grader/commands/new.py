"""`grader new`: a new assignment."""

from __future__ import annotations

from pathlib import Path

import click

from grader.authoring.draft import require_new, write_files
from grader.authoring.importing import import_notebook
from grader.authoring.scaffold import scaffold


@click.command()
@click.argument("folder", metavar="SLUG", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.ipynb",
    help="Make it from this notebook: nbgrader's, otter's, or one with solution markers.",
)
def new(folder: Path, source: Path | None) -> int:
    """Makes the folder of a new assignment.

    SLUG is the folder, whose last part is the assignment's name. Without
    --from it gets a small example that passes its audit. With --from it gets
    the questions, points and tests of a notebook, as far as they can be carried
    over; what could not be is said, and stands in the README as well.

    \b
    Examples:
      grader new week_3 && grader audit week_3
      grader new week_3 --from source/ps3/problem1.ipynb
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    slug = require_new(folder)
    if source is None:
        files, left_out = scaffold(slug), []
    else:
        files, draft, kind = import_notebook(source, slug)
        left_out = draft.left_out
        checks = sum(len(question.checks) for question in draft.questions)
        found = f"{len(draft.questions)} questions and {checks} checks"
        click.echo(f"{source} ({kind}): {found}")
    for path in write_files(folder, files):
        click.echo(f"wrote {path}")
    if left_out:
        click.echo("Not carried over, or to be looked at:")
        for note in left_out:
            click.echo(f"  {note}")
    click.echo(f"Next: grader audit {folder}")
    return 0
