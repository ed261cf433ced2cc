"""`grader release`: what students get of an assignment."""

from __future__ import annotations

from pathlib import Path

import click

from grader.assignment import load_assignment
from grader.releasing import Bundle, make_bundle, write_bundle


@click.command()
@click.argument("assignment")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="A new or empty folder for the release.",
)
def release(assignment: str, output: Path) -> int:
    """Writes the student's bundle of an assignment.

    In it are the notebook without its solutions and outputs, what lies in
    files/, the checks that students may run at home, an assignment.toml and a
    README. Hidden checks stay out, and so do visible ones with an answer in
    their code (`released=` in a check's marker decides where you know better).
    Nothing is written where a marker, an answer or a hidden check would leak.

    \b
    Examples:
      grader release radboud_a1 -o release
      grader release ./my_assignment -o release && grader check release
    """  # noqa: D301 - click's mark for lines to be left alone is this very character
    bundle = make_bundle(load_assignment(assignment))
    for path in write_bundle(bundle, output):
        click.echo(f"wrote {path}")
    for line in _about_checks(bundle):
        click.echo(line)
    return 0


def _about_checks(bundle: Bundle) -> list[str]:
    checks = bundle.checks
    lines = [
        f"{len(checks.released)} visible checks are in it, {len(checks.hidden)} hidden ones are not"
    ]
    if checks.withheld:
        lines.append(f"{len(checks.withheld)} visible checks stay with you:")
        lines += [f"  {c.question} {c.name}: {c.reason}" for c in checks.withheld]
    return lines
