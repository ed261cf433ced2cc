"""The student's bundle: notebook, files, the checks that may go home, and how to use them."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import nbformat
import tomli_w
from jinja2 import Environment, StrictUndefined

from grader.assignment import Assignment
from grader.errors import AssignmentError, UsageError
from grader.releasing.leaks import refuse_leaks
from grader.releasing.visible import VisibleChecks, visible_checks

CHECKS = "checks/"
# Where the release is kept as it was handed out: what students changed counts as their work.
KEPT = ".release/"
TOML = "assignment.toml"
README = "README.md"


@dataclass(frozen=True)
class Bundle:
    """What students get: contents by relative path, and what is said of the checks."""

    files: Mapping[str, bytes]
    checks: VisibleChecks


def make_bundle(assignment: Assignment) -> Bundle:
    """The release with its files, visible checks, assignment.toml and a README.

    Raises:
        AssignmentError: something would leak, or two files have the same name.
    """
    if assignment.is_release:
        raise AssignmentError(f"{assignment.folder} is a release already: give the assignment")
    notebook = f"{assignment.slug}.ipynb"
    checks = visible_checks(assignment)
    released = nbformat.writes(assignment.release).encode() + b"\n"
    own = {
        notebook: released,
        KEPT + notebook: released,
        **{KEPT + path: assignment.files[path] for path in assignment.answer_files},
        TOML: _settings(assignment, KEPT + notebook).encode(),
        README: _readme(assignment, notebook, checks).encode(),
        **{CHECKS + name: text.encode() for name, text in checks.files.items()},
    }
    if taken := sorted(own.keys() & assignment.files.keys()):
        raise AssignmentError(
            f"{assignment.folder}/files: {', '.join(taken)} would stand in the release twice"
        )
    bundle = Bundle({**own, **assignment.files}, checks)
    refuse_leaks(assignment, bundle.files, checks.hidden)
    return bundle


def write_bundle(bundle: Bundle, directory: Path) -> list[Path]:
    """Writes the files into `directory`, which must be new or empty; returns their paths.

    Raises:
        UsageError: there is something in it already: what an older release left
            there might be more than students may have.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is not empty: give a new folder, or empty this one")
    try:
        for name, content in sorted(bundle.files.items()):
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise UsageError(f"the release cannot be written: {error}") from error
    return [directory / name for name in sorted(bundle.files)]


def _settings(assignment: Assignment, notebook: str) -> str:
    """assignment.toml without comments; `notebook` makes it that of a release."""
    written = tomllib.loads((assignment.folder / TOML).read_text(encoding="utf-8"))
    return tomli_w.dumps({"notebook": notebook, **written})


def _example(assignment: Assignment, checks: VisibleChecks) -> str:
    """A question that students can check."""
    return next((q.id for q in assignment.questions if q.id in checks.questions), "")


def _readme(assignment: Assignment, notebook: str, checks: VisibleChecks) -> str:
    template = resources.files("grader.releasing") / "student_readme.md.j2"
    # Markdown for a person: nothing of it is shown as HTML by us.
    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701
    return environment.from_string(template.read_text("utf-8")).render(
        assignment=assignment,
        notebook=notebook,
        points=sum(question.points for question in assignment.questions),
        files=sorted(assignment.files),
        checks=len(checks.released),
        example=_example(assignment, checks),
    )
