"""What is put elsewhere to run an assignment there, as files by their paths.

Gradescope's zip file is the instructors' own, and holds the hidden checks. The others' packages
are read by students (Classroom 50's is served to anybody), and hold the student's bundle alone.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

from grader.answer_files import read_files
from grader.assignment import Assignment
from grader.ci.gradescope import SETTINGS, Settings
from grader.ci.wheel import constraints, distributions_of, make_wheel, wheel_name
from grader.errors import AssignmentError, UsageError
from grader.releasing import make_bundle

# What only audits and people read.
LEFT_OUT = ("variants/", "examples/", "mutants.toml", "README.md", ".")
MARGIN = 30.0
"""Seconds that are kept back from Gradescope's time limit, to write what is known."""


@dataclass(frozen=True)
class Options:
    """How it is to run there.

    `isolation` is the least level accepted, `""` for the assignment's own;
    `minutes` is Gradescope's time limit.
    """

    isolation: str = ""
    minutes: float = 10.0


Files = dict[str, bytes]


def gradescope(assignment: Assignment, options: Options) -> Files:
    """The autograder's zip file, with the solution and the hidden checks.

    Raises:
        AssignmentError: this is a student's bundle, or a package is not installed.
        UsageError: there is no time to grade in.
    """
    if assignment.is_release:
        raise AssignmentError(f"{assignment.folder} is a release: give the assignment itself")
    seconds = options.minutes * 60 - MARGIN
    if not seconds > MARGIN:
        raise UsageError(f"{options.minutes:g} minutes are too few; Gradescope has 10 by default")
    own = read_files(assignment.folder)
    kept = {name: content for name, content in own.items() if not name.startswith(LEFT_OUT)}
    settings = Settings(assignment.slug, options.isolation, seconds)
    return {
        **_templates(assignment, options, "gradescope", "setup.sh", "run_autograder"),
        SETTINGS: settings.text().encode(),
        **_grader(assignment, for_students=False),
        **_below(assignment.slug, kept),
    }


def github(assignment: Assignment, options: Options) -> Files:
    """A repository's template: workflow, action with the grader in it, and the bundle."""
    files = _templates(assignment, options, "github", "README.md", "action.yml", "grade.yml")
    action = {"action.yml": files.pop("action.yml"), **_grader(assignment, for_students=True)}
    return {
        ".github/workflows/grade.yml": files.pop("grade.yml"),
        **_below(".github/actions/grade", action),
        **files,
        **_below(assignment.slug, _bundle(assignment)),
    }


def gitlab(assignment: Assignment, options: Options) -> Files:
    """A repository's template: .gitlab-ci.yml, the grader in .grader, and the bundle."""
    files = _templates(assignment, options, "gitlab", "README.md", "gitlab-ci.yml")
    return {
        ".gitlab-ci.yml": files.pop("gitlab-ci.yml"),
        **files,
        **_below(".grader", _grader(assignment, for_students=True)),
        **_below(assignment.slug, _bundle(assignment)),
    }


def classroom50(assignment: Assignment, options: Options) -> Files:
    """What goes to CLASSROOM/autograders/ASSIGNMENT/ in the classroom50 repository."""
    script = _templates(assignment, options, "classroom50", "autograder.py.in")
    return {
        "autograder.py": script["autograder.py.in"],
        **_grader(assignment, for_students=True),
        **_below(assignment.slug, _bundle(assignment)),
    }


SYSTEMS: Mapping[str, Callable[[Assignment, Options], Files]] = {
    maker.__name__: maker for maker in (gradescope, github, gitlab, classroom50)
}


def _bundle(assignment: Assignment) -> Files:
    if assignment.is_release:
        return read_files(assignment.folder)
    return dict(make_bundle(assignment).files)


def _grader(assignment: Assignment, *, for_students: bool) -> Files:
    """The grader as a wheel, and what to install with it."""
    assignment.require_packages()
    wanted = distributions_of([*assignment.requires, *assignment.run.optional_modules])
    return {
        wheel_name(): make_wheel(for_students=for_students),
        "requirements.txt": "".join(f"{name}\n" for name in wanted).encode(),
        "constraints.txt": constraints(wanted).encode(),
    }


def _templates(assignment: Assignment, options: Options, system: str, *names: str) -> Files:
    folder = resources.files("grader.ci") / "templates" / system
    values = {
        "@SLUG@": assignment.slug,
        "@TITLE@": assignment.title,
        "@ISOLATION@": options.isolation,
        "@PYTHON@": ".".join(platform.python_version_tuple()[:2]),
    }
    return {name: _filled((folder / name).read_text("utf-8"), values).encode() for name in names}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _below(folder: str, files: Mapping[str, bytes]) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}
