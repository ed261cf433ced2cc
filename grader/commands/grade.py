"""`grader grade`: one submission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader import pipeline
from grader.alignment import NO_MAP, CellMap, parse_maps, read_map
from grader.assignment import Assignment, Experiments, load_assignment
from grader.commands.options import (
    anonymous_option,
    give_out,
    isolation_option,
    json_option,
    map_file_option,
    output_option,
    repairs_option,
)
from grader.errors import SubmissionError
from grader.execution.runner import Progress as CellProgress
from grader.privacy import anonymous as anonymise
from grader.records import Report
from grader.reporting import report_without_grading
from grader.reports import render_table, to_json
from grader.reports.files import write_reports
from grader.submission import refused_record

PSEUDONYM_LENGTH = 8


@click.command()
@click.argument("assignment")
@click.argument("submission", type=click.Path(path_type=Path))
@output_option("report.json, report.html (instructor) and feedback.html (student)")
@json_option("the report", "the table")
@anonymous_option
@isolation_option
@click.option(
    "--experiments",
    type=click.Choice([choice.value for choice in Experiments]),
    help="Whether cells that the assignment marks as experiments are run, with the constants and "
    "in the time that it sets; instead of the assignment's own setting.",
)
@repairs_option
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="QUESTION=CELLS",
    help="Cells that answer a question, where the grader could not tell: a number as in the "
    "report, a range, or several with commas. Repeat it for more questions.",
)
@map_file_option('under [map], lines such as "1.2b" = "17-19"')
def grade(
    assignment: str,
    submission: Path,
    output: Path | None,
    json_file: Path | None,
    anonymous: bool,
    isolation: str | None,
    experiments: str | None,
    repairs: tuple[str, ...] | None,
    maps: tuple[str, ...],
    map_file: Path | None,
) -> int:
    """Grades one submission, question by question.

    ASSIGNMENT is a folder with an assignment.toml, or the name of a bundled
    one. SUBMISSION is a notebook (.ipynb), a script (.py), or a folder, zip or
    tar archive with one, or with the modules that the assignment asks for. Of
    what cannot be graded, the report says why, and the exit code is 2.

    \b
    Examples:
      grader grade radboud_a1 hand-in.ipynb
      grader grade radboud_a1 hand-in.ipynb -o out
      grader grade gatech_ps1 hw1_code.zip
      grader grade ./my_assignment hand-in.zip --json - | jq .score
      grader grade radboud_a1 hand-in.ipynb -o out --anonymous
      grader grade kiel_lab4 hand-in.ipynb --experiments run
      grader grade radboud_a1 hand-in.ipynb --map 1.2b=17-19 --map 1.3a=40
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    cell_map = {**_map_of(map_file, submission), **parse_maps(maps)}
    loaded = load_assignment(assignment)

    def give(report: Report, show: Callable[[Report], None]) -> None:
        given = _anonymous(report, loaded) if anonymous else report
        give_out(
            "the report",
            to_json(given),
            lambda: show(given),
            lambda: write_reports(given, output) if output else [],
            json_file,
        )

    try:
        report = grade_with_progress(loaded, submission, isolation, experiments, repairs, cell_map)
    except SubmissionError as error:
        if submission.exists() and (output or json_file):
            # What arrives gets a report, if only one that says why it could not be graded.
            reason = str(error).replace(str(submission), submission.name)
            give(report_without_grading(loaded, refused_record(submission), reason), lambda _: None)
        raise
    give(report, lambda given: render_table(given, Console()))
    return 0


def _anonymous(report: Report, assignment: Assignment) -> Report:
    """The report under a pseudonym that is the same for the same files."""
    pseudonym = f"anon-{report.submission.sha256[:PSEUDONYM_LENGTH]}"
    return anonymise(report, pseudonym, keep=(*assignment.answer_files, *assignment.files))


def _map_of(path: Path | None, submission: Path) -> CellMap:
    """What a file says of this submission, by its name or by none."""
    maps = read_map(path) if path else {}
    return {**maps.get("", NO_MAP), **maps.get(submission.resolve().stem, NO_MAP)}


def grade_with_progress(
    assignment: Assignment | str | Path,
    submission: Path,
    isolation: str | None = None,
    experiments: str | None = None,
    repairs: tuple[str, ...] | None = None,
    cell_map: CellMap = NO_MAP,
) -> Report:
    """Grades with a bar on the terminal's stderr that counts the cells."""
    with showing_progress(submission.name) as progress:
        return pipeline.grade(
            assignment,
            submission,
            isolation=isolation,
            experiments=experiments,
            repairs=repairs,
            progress=progress,
            cell_map=cell_map,
        )


@contextmanager
def showing_progress(name: str) -> Iterator[CellProgress]:
    """A bar on the terminal's stderr that counts the cells, while it is open."""
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
