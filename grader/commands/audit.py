"""`grader audit`: proves an assignment's checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from grader.assignment import load_assignment
from grader.audit import auditing
from grader.audit.auditing import LEAST_SCORE, AuditOptions, Progress
from grader.audit.files import to_json, write_audit
from grader.audit.table import render_audit
from grader.commands.options import (
    give_out,
    isolation_option,
    json_option,
    output_option,
    usable_cores,
)
from grader.execution.isolation import Level

LINES = 25
"""Hand-ins between two lines of progress in a pipe."""


@click.command()
@click.argument("assignment")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=usable_cores,
    show_default="one a core",
    metavar="N",
    help="Grade N hand-ins side by side.",
)
@click.option(
    "-q",
    "--question",
    "questions",
    multiple=True,
    metavar="ID",
    help="Run the mutants of this question only (may be given several times).",
)
@output_option("audit.html and audit.json")
@json_option("the audit", "the tables")
@click.option(
    "--least-score",
    type=click.FloatRange(0, 100),
    default=100 * LEAST_SCORE,
    show_default=True,
    metavar="PERCENT",
    help="The share of the wrong generic mutants that the checks must kill.",
)
@isolation_option
def audit(
    assignment: str,
    jobs: int,
    questions: tuple[str, ...],
    output: Path | None,
    json_file: Path | None,
    least_score: float,
    isolation: str | None,
) -> int:
    """Proves an assignment's checks, and shows the mistakes that they let pass.

    The solution must get full marks, the release nothing, every file in
    variants/ full marks, and every bug in mutants.toml must cost exactly its
    questions. Then many more bugs are made from the solution by rule (a sign,
    an axis, a transpose, a forgotten term, ...): one that gets full marks is
    shown with its diff. Exit code 1 where a promise is broken, or a survivor
    has no explanation in mutants.toml.

    \b
    Examples:
      grader audit radboud_a1
      grader audit ./my_assignment -q 1a -q 1b
      grader audit ./my_assignment -j 8 -o out
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    options = AuditOptions(
        jobs=jobs,
        questions=questions or None,
        least_score=least_score / 100,
        isolation=Level(isolation) if isolation else None,
    )
    loaded = load_assignment(assignment)
    with _progress(loaded.slug) as progress:
        report = auditing.audit(loaded, options, progress)
    give_out(
        "the audit",
        to_json(report),
        lambda: render_audit(report, Console()),
        lambda: write_audit(report, output) if output else [],
        json_file,
    )
    return 0 if report.passed else 1


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar on a terminal; in a pipe a line now and then, and one for each find, on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _print_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"auditing {name}", total=None)

        def show(done: int, total: int, found: str) -> None:
            bar.update(task, completed=done, total=total)
            if found:
                bar.console.print(escape(found), highlight=False)

        yield show


def _print_line(done: int, total: int, found: str) -> None:
    if found or (done and done % LINES == 0) or done == total:
        click.echo(f"{done} of {total}{'  ' if found else ''}{found}", err=True)
