"""`grader export`: scores and feedback as other systems want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from grader.batch.handing_back import write_reviewed
from grader.batch.publishing import anonymous_rows
from grader.commands.options import anonymous_option
from grader.errors import UsageError
from grader.gradebook import open_gradebook
from grader.lms import (
    blackboard,
    brightspace,
    canvas,
    feedback,
    gradescope,
    junit,
    moodle,
    scores,
)
from grader.lms.records import ExportOptions, Form, Plan, ScoreRow
from grader.lms.sheet import Sheet, read_sheet
from grader.lms.writing import described, summary, write

InSheet = Callable[[Sequence[ScoreRow], Sheet, ExportOptions, str], Plan]

IN_SHEET: dict[str, InSheet] = {
    module.SYSTEM: module.plan for module in (canvas, moodle, brightspace, blackboard)
}
ALONE: dict[str, Callable[[Sequence[ScoreRow]], Plan]] = {
    module.SYSTEM: module.plan for module in (gradescope, scores, junit)
}
TARGETS = (*IN_SHEET, *ALONE, feedback.SYSTEM)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="What to write.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The sheet that was downloaded from the LMS: its grades are edited, all else stays as "
    "it is. Needed for canvas, moodle and blackboard; tells feedback which Moodle folders are "
    "groups.",
)
@click.option("--column", default="", metavar="TITLE", help="Which assignment of the sheet.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where to write; the sheet itself will do. By default in DIR/export.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--lower", is_flag=True, help="Also write grades that are lower than the sheet's.")
@click.option(
    "--with-pending", is_flag=True, help="Also write scores of which points wait for a person."
)
@click.option(
    "--scale/--no-scale",
    default=None,
    help="Convert scores to the sheet's maximum, or write them as they are, where it is another.",
)
@click.option("--comments/--no-comments", default=True, help="Write comments where none are yet.")
@anonymous_option
def export(
    folder: Path,
    target: str,
    sheet: Path | None,
    column: str,
    output: Path | None,
    dry_run: bool,
    lower: bool,
    with_pending: bool,
    scale: bool | None,
    comments: bool,
    anonymous: bool,
) -> int:
    """Writes the scores of a batch for another system.

    DIR is the folder that `grader batch` wrote. A grade that would become
    lower, and a score that is not complete, is left out and said, unless you
    ask for it.

    \b
    Examples:
      grader export out --to moodle --sheet Grades.csv --dry-run
      grader export out --to canvas --sheet gradebook.csv --column "Assignment 1"
      grader export out --to feedback -o feedback.zip
      grader export out --to csv --anonymous
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; `grader batch` makes one")
    if anonymous and target in IN_SHEET:
        raise UsageError(f"{target} needs to know whose the grades are: leave out --anonymous")
    options = ExportOptions(lower, with_pending, scale, comments, column)
    named = nullcontext([] if anonymous else _rows(folder, refresh=not dry_run))
    with anonymous_rows(folder) if anonymous else named as rows:
        plan = planned(rows, target, sheet, options)
        return show_and_write(plan, output or default_output(folder, plan), dry_run=dry_run)


def _rows(folder: Path, *, refresh: bool) -> list[ScoreRow]:
    """The rows, the files behind them with what people gave since the batch wrote them."""
    with open_gradebook(folder) as gradebook:
        if refresh:
            write_reviewed(gradebook)
        return gradebook.score_rows()


def planned(
    rows: Sequence[ScoreRow], target: str, sheet: Path | None, options: ExportOptions
) -> Plan:
    """What an export would write.

    Raises:
        UsageError: the sheet is missing, or is not the system's.
    """
    if not rows:
        raise UsageError("there are no scores in it; has `grader batch` graded anything?")
    table = _read(sheet) if sheet else None
    if target == feedback.SYSTEM:
        return feedback.plan(rows, table, str(sheet or ""))
    if target in ALONE:
        if table is not None:
            raise UsageError(f"--sheet is of no use for {target}")
        return ALONE[target](rows)
    if table is None and target == brightspace.SYSTEM and options.column:
        table = brightspace.blank_sheet(rows, options.column)
    if table is None:
        raise UsageError(
            f"{target} needs the sheet that you downloaded from it: --sheet FILE"
            + (", or --column TITLE for a new one" if target == brightspace.SYSTEM else "")
        )
    return IN_SHEET[target](rows, table, options, str(sheet or "the new sheet"))


def _read(path: Path) -> Sheet:
    try:
        return read_sheet(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: the sheet cannot be read ({error.strerror})") from error


def default_output(folder: Path, plan: Plan) -> Path:
    """Where a plan is written unless something else is asked for."""
    name = {Form.FOLDER: plan.system, Form.ZIP: f"{plan.system}.zip"}.get(plan.form)
    return folder / "export" / (name or plan.files[0].name)


def show_and_write(plan: Plan, output: Path, *, dry_run: bool) -> int:
    """Says what a plan changes, and writes it unless this is a dry run."""
    for line in described(plan):
        click.echo(line)
    if dry_run:
        click.echo("dry run: nothing was written")
        return 0
    if not plan.files:
        raise UsageError(f"there is nothing to write: {summary(plan)}")
    written = write(plan, output)
    click.echo(f"wrote {output}" + (f" ({len(written)} files)" if len(written) > 1 else ""))
    return 0
