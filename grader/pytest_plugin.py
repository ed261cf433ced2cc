"""The pytest plugin: gives checks their `student` and collects their outcomes.

It does nothing in a pytest run unless `--submission` is given, or the grader
itself runs the checks and registers a `Grading` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.execution.student import Student

MARKER = (
    "question(id, points=1, hidden=False, needs=[], rerun=False, released=None, at_home=False): "
    "the question that a check belongs to, its share of the points, whether students see it, the "
    "questions it builds on, whether students get its code, and whether they alone run it"
)
NEEDS_A_HAND_IN = "checks need a hand-in: pytest assignments/NAME --submission notebook.ipynb"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--submission`."""
    group = parser.getgroup("nn-grader", "grading coursework")
    group.addoption(
        "--submission",
        metavar="FILE",
        help="run the checks of an assignment's folder against this notebook, folder or zip",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and the grading where `--submission` asks for it."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("submission", None):
        # A hand-in is run once, and its checks build on each other's outcomes: for
        # pytest-xdist, which may be asked for in the project's settings, that is one process.
        config.option.dist, config.option.tx = "no", []
        # Imported here: this module is loaded in every pytest run of every project.
        from grader.checks.grading import Grading
        from grader.checks.standalone import Standalone

        standalone = Standalone(config)
        config.pluginmanager.register(
            Grading(standalone.assignment, standalone.session), "nn-grader-grading"
        )
        config.pluginmanager.register(standalone, "nn-grader-standalone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tells whoever runs an assignment's checks, and nothing else, what they need."""
    if config.pluginmanager.has_plugin("nn-grader-grading") or config.option.collectonly:
        return
    checks = [i for i in items if i.get_closest_marker("question") and "student" in _fixtures(i)]
    # A worker of pytest-xdist's cannot end the run.
    if checks and len(checks) == len(items) and not hasattr(config, "workerinput"):
        raise pytest.UsageError(NEEDS_A_HAND_IN)


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", []))


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Iterator[Student]:
    """The student's namespace at the question that the check belongs to."""
    grading: Any = request.config.pluginmanager.get_plugin("nn-grader-grading")
    if grading is None:
        pytest.fail(NEEDS_A_HAND_IN, pytrace=False)
    student = grading.student(request.node)
    yield student
    student.close()
