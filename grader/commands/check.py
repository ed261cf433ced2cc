"""`grader check`: the visible checks, for students and CI."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.commands.options import give_out, isolation_option, json_option
from grader.errors import UsageError
from grader.execution.isolation import Level, candidates
from grader.execution.probing import reached_level
from grader.execution.zygote import current_zygote
from grader.selfcheck.starting import leave_out_grammars
from grader.selfcheck.watching import next_change, signature

if TYPE_CHECKING:
    from grader.records import Report
    from grader.selfcheck.finding import Work


@dataclass(frozen=True)
class _Wish:
    """What was asked for on the command line."""

    questions: Sequence[str]
    isolation: Level | None
    json_file: Path | None
    junit_file: Path | None
    verbose: bool


@click.command()
@click.argument("assignment", required=False)
@click.argument("notebook", required=False, type=click.Path(path_type=Path))
@click.option(
    "-q",
    "--question",
    "questions",
    multiple=True,
    metavar="ID",
    help="Check this question alone, and run no more cells than it needs; may be repeated. "
    "1.2 stands for 1.2a, 1.2b and so on.",
)
@click.option("--watch", is_flag=True, help="Check again whenever the notebook is saved.")
@click.option("-v", "--verbose", is_flag=True, help="Name the checks that passed, too.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although a check failed.")
@json_option("the report", "the table")
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the outcome as JUnit XML, as GitLab reads it: a case for each question.",
)
@isolation_option
def check(
    assignment: str | None,
    notebook: Path | None,
    questions: tuple[str, ...],
    watch: bool,
    verbose: bool,
    exit_zero: bool,
    json_file: Path | None,
    junit_file: Path | None,
    isolation: str | None,
) -> int:
    """Runs the checks that students may see, and says what to do about each that fails.

    In the folder that students were given, neither ASSIGNMENT nor NOTEBOOK need be
    named. The notebook is run as it was saved, in a fresh kernel, without its
    experiments. Exit code 1 where a check fails.

    \b
    Examples:
      grader check                        all questions
      grader check -q 1.2b                one question
      grader check -q 1.2b --watch        again after each save
      grader check hand-in.ipynb          a notebook of another name
      grader check radboud_a1 hand-in.ipynb --json report.json --exit-zero
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    with _warming_up():
        # These take as long to import as the sandbox takes to start.
        from grader.selfcheck.checking import exit_code, select
        from grader.selfcheck.finding import find_work

        work = find_work(assignment, notebook)
        select(work.assignment, questions)
    least = Level(isolation) if isolation else None
    wish = _Wish(questions, least, json_file, junit_file, verbose)
    if watch:
        _watch(work, wish)
    report = _check(work, wish)
    return 0 if exit_zero else exit_code(report)


@contextmanager
def _warming_up() -> Iterator[None]:
    """Finds out meanwhile how a notebook can be run here."""
    leave_out_grammars()

    def find_out() -> None:
        # What is wrong is said where the level is asked for.
        with suppress(Exception):
            if candidates():
                current_zygote()
            reached_level()

    thread = threading.Thread(target=find_out, daemon=True)
    thread.start()
    yield
    thread.join()


def _check(work: Work, wish: _Wish) -> Report:
    from rich.console import Console

    from grader.commands.grade import showing_progress
    from grader.reports import to_json
    from grader.selfcheck.checking import check_at_home, select
    from grader.selfcheck.table import render

    only = select(work.assignment, wish.questions)
    with showing_progress(work.path.name) as progress:
        report = check_at_home(
            work.assignment, work.read(), only, isolation=wish.isolation, progress=progress
        )
    show = Console()
    give_out(
        "the report",
        to_json(report),
        lambda: render(report, show, verbose=wish.verbose),
        lambda: _write_junit(report, wish.junit_file),
        wish.json_file,
    )
    return report


def _write_junit(report: Report, path: Path | None) -> list[Path]:
    if path is None:
        return []
    from grader.lms.junit import junit_xml

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(junit_xml([(report.submission.id, report)]))
    return [path]


def _watch(work: Work, wish: _Wish) -> None:
    """Checks after each save until it is interrupted."""
    from rich.console import Console

    console = Console()
    while True:
        seen = signature(work.watched())
        console.clear()
        try:
            _check(work, wish)
        except UsageError as error:
            # Half a notebook, say: the next save may mend it.
            click.echo(f"Error: {error}", err=True)
        console.print(f"\nwaiting for {work.path.name} to be saved (Ctrl-C ends this)", style="dim")
        next_change(work.watched, seen)
