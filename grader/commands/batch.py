"""`grader batch`: a folder of submissions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from grader.alignment import CellMap, check_map, read_map
from grader.assignment import Assignment, load_assignment
from grader.batch.coordinating import (
    BatchOptions,
    BatchResult,
    Executor,
    publisher_for,
    run_batch,
)
from grader.batch.display import watch
from grader.batch.impact import Impact
from grader.batch.publishing import Publisher
from grader.batch.similar import write_similar
from grader.batch.summary import write_summary
from grader.commands.options import (
    anonymous_option,
    isolation_option,
    map_file_option,
    repairs_option,
    usable_cores,
)
from grader.errors import UsageError
from grader.execution.isolation import Level, require
from grader.execution.probing import reached_level
from grader.execution.zygote import end_zygote
from grader.gradebook import open_gradebook
from grader.lms import find_submissions
from grader.lms.records import Download
from grader.lms.scores import scores_csv

SHOWN_IMPACTS = 30
OUR_FAULT = 3
# For starting a kernel anew, snapshots and the checks themselves, beside the notebook's own time.
CHECKING_FACTOR, STARTING_SECONDS = 3.0, 300.0


@click.command()
@click.argument("assignment")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where reports and the gradebook go, or are already.",
)
@click.option(
    "-j",
    "--workers",
    type=click.IntRange(min=1),
    default=usable_cores,
    show_default="cores",
    help="Worker processes.",
)
@click.option(
    "--executor",
    type=click.Choice(["local", "dask", "slurm"]),
    default="local",
    show_default=True,
    help="What runs the workers.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, such as tcp://host:8786.")
@click.option(
    "--system",
    metavar="NAME",
    help="The system that the download comes from, where it is not recognised: canvas, moodle, …",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="CSV",
    help="The course's list: ids, names, addresses.",
)
@click.option("--fresh", is_flag=True, help="Grade again what has its report already.")
@click.option("--dry-run", is_flag=True, help="Grade, show what would change, keep nothing.")
@click.option(
    "--similar/--no-similar",
    default=True,
    show_default=True,
    help="Show what submissions have in common, in similar.html.",
)
@anonymous_option
@isolation_option
@repairs_option
@map_file_option('under [map.ID] of a submission, lines such as "1.2b" = "17-19"')
def batch(
    assignment: str,
    folder: Path,
    output: Path,
    workers: int,
    executor: str,
    scheduler: str | None,
    system: str | None,
    roster: Path | None,
    fresh: bool,
    dry_run: bool,
    similar: bool,
    anonymous: bool,
    isolation: str | None,
    repairs: tuple[str, ...] | None,
    map_file: Path | None,
) -> int:
    """Grades every submission in FOLDER, which is a bulk download of any LMS, or plain files.

    Run it again to go on where it stopped, whatever stopped it: what was graded
    is not graded again, unless the submission, the checks, the grader or the
    packages have changed. Then it says whose score changes, and why.

    \b
    Examples:
      grader batch radboud_a1 submissions/ -o graded
      grader batch radboud_a1 submissions.zip -o graded -j 8 --roster course.csv
      grader batch radboud_a1 submissions/ -o graded --dry-run
      grader batch radboud_a1 submissions/ -o graded --anonymous
      grader batch radboud_a1 submissions/ -o graded --map-file cells.toml
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    loaded = load_assignment(assignment)
    loaded.require_packages()
    download = find_submissions(folder, system=system, roster=roster)
    _require_apart(folder, output)
    console = Console()
    _show_download(console, download)
    execute = _executor(executor, scheduler, workers, loaded, isolation)
    maps = _maps(map_file, loaded, download) if map_file else {}
    options = BatchOptions(isolation or "", fresh, dry_run, anonymous, repairs, maps)
    with open_gradebook(output, create=True) as gradebook:
        try:
            with watch(console) as observer:
                result = run_batch(loaded, download, gradebook, execute, observer, options)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on from here", err=True)
            if not dry_run:
                write_summary(gradebook, publisher_for(gradebook, loaded, download, anonymous))
            raise
        _show_result(console, result, dry_run=dry_run)
        if not dry_run:
            publisher = publisher_for(gradebook, loaded, download, anonymous)
            (output / "scores.csv").write_bytes(scores_csv(publisher.rows()))
            _show_names_left(publisher)
            try:
                if similar:
                    write_similar(loaded, download.submissions, publisher)
            finally:
                click.echo(write_summary(gradebook, publisher))
    return OUR_FAULT if result.faults else 0


def _show_names_left(publisher: Publisher) -> None:
    if left := publisher.with_names():
        click.echo(
            f"{len(left)} folders of an earlier batch tell whose their reports are, such as "
            f"{left[0]}: remove them before you pass the rest on",
            err=True,
        )


def _require_apart(folder: Path, output: Path) -> None:
    if output.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{output} lies among the submissions in {folder}: choose another folder")


def _maps(path: Path, assignment: Assignment, download: Download) -> Mapping[str, CellMap]:
    """The file's maps, by submission.

    Raises:
        UsageError: it names a submission or a question that there is not.
    """
    maps = dict(read_map(path))
    if maps.pop(""):
        raise UsageError(f"{path}: name the submission: [map.ID] in place of [map]")
    known = {found.id for found in download.submissions}
    for identity, cell_map in maps.items():
        if identity not in known:
            raise UsageError(f"{path}: there is no submission {identity!r} in the folder")
        check_map(cell_map, assignment)
    return maps


def _executor(
    name: str, scheduler: str | None, workers: int, assignment: Assignment, isolation: str | None
) -> Executor:
    if name == "local":
        from grader.batch.local import run_locally  # Windows has no such workers

        require(reached_level(), Level(isolation) if isolation else assignment.run.isolation)
        # The workers have their own, and this one takes as much memory as they do.
        end_zygote()
        seconds = CHECKING_FACTOR * assignment.limits.notebook + STARTING_SECONDS
        return lambda jobs, started: run_locally(jobs, workers, seconds, started)
    from grader.batch.cluster import cluster_executor  # an extra, which may not be installed

    return cluster_executor(name, scheduler, workers, assignment)


def _show_download(console: Console, download: Download) -> None:
    if download.passed_over:
        console.print(f"{len(download.passed_over)} files are no submissions:", highlight=False)
        for path, reason in download.passed_over:
            console.print(f"  {path}: {reason}", markup=False, highlight=False, soft_wrap=True)
    if not download.submissions:
        raise UsageError("there is no submission in the folder")


def _show_result(console: Console, result: BatchResult, *, dry_run: bool) -> None:
    kept = f", {result.kept} kept as they were" if result.kept else ""
    console.print(f"{result.graded} graded{kept}", highlight=False)
    for submission, fault in result.faults.items():
        line = f"not graded by a fault of the grader's: {submission}: {fault}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if result.impacts:
        would = "would change" if dry_run else "changed"
        students = {impact.submission for impact in result.impacts}
        console.print(f"the scores of {len(students)} submissions {would}:", highlight=False)
        console.print(_impact_table(result.impacts))


def _impact_table(impacts: list[Impact]) -> Table:
    table = Table("submission", "question", "before", "now", "because of")
    for impact in impacts[:SHOWN_IMPACTS]:
        reasons = (f"{c.name}: {c.before or 'new'} → {c.after or 'gone'}" for c in impact.checks)
        points = (f"{impact.before:g}", f"{impact.after:g}")
        table.add_row(impact.submission, impact.question, *points, "\n".join(reasons))
    if len(impacts) > SHOWN_IMPACTS:
        table.caption = f"and {len(impacts) - SHOWN_IMPACTS} more; all are in the gradebook"
    return table
