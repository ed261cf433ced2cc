"""Runs an assignment's checks in one pytest session inside this process."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import pytest_plugin
from grader.checks.grading import Grading
from grader.checks.outcome import CheckOutcome
from grader.errors import AssignmentError
from grader.execution.folders import TemporaryFolder

if TYPE_CHECKING:
    from grader.session import Session

# Nothing of the user's own pytest settings may change a verdict.
FOREIGN_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_CURRENT_TEST")
RAN_CHECKS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def run_checks(
    session: Session,
    only: Collection[str] | None = None,
    earlier: Sequence[CheckOutcome] = (),
    *,
    visible_only: bool = False,
    judged: Callable[[Sequence[CheckOutcome]], None] | None = None,
) -> list[CheckOutcome]:
    """Runs the checks of the session's assignment, in the order of its questions.

    `only` are the questions whose checks are run; all where it is None. `earlier`
    are the outcomes of the other questions, which may be needed. With
    `visible_only`, hidden checks are not run. `judged` is called after each check
    with the outcomes so far.

    Raises:
        AssignmentError: a check file is broken, or a marker names no question.
    """
    folder = session.assignment.checks
    grading = Grading(session.assignment, lambda: session, only, earlier, visible_only=visible_only)
    arguments = [
        *(str(folder), "--rootdir", str(session.assignment.folder.parent), "-c", os.devnull),
        *("--confcutdir", str(session.assignment.folder)),
        *("--disable-plugin-autoload", "--import-mode=importlib", "--capture=sys"),
        *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"),
        # It collects garbage twice, which took a third of the time.
        *("-p", "no:unraisableexception"),
        *("-p", "no:logging", "-p", "no:doctest", "-p", "no:unittest", "-p", "no:junitxml"),
        *("-p", "no:pastebin", "-p", "no:stepwise", "-p", "no:threadexception"),
        *("-W", "ignore"),
    ]
    with _alone(session.assignment.folder):
        code = pytest.main(arguments, plugins=[pytest_plugin, _Named(grading, judged)])
    if grading.errors:
        raise AssignmentError(f"{folder}: the checks cannot be run:\n" + "\n".join(grading.errors))
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in RAN_CHECKS:
        raise AssignmentError(f"{folder}: pytest could not run the checks ({code!r})")
    return grading.outcomes


class _Named:
    """Registers the grading under the name by which the `student` fixture finds it."""

    def __init__(
        self, grading: Grading, judged: Callable[[Sequence[CheckOutcome]], None] | None
    ) -> None:
        self._grading = grading
        self._judged = judged

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self._grading, "nn-grader-grading")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Nobody reads the traceback of a failed check, which takes 25 ms to write."""
        session.config.option.tbstyle = "no"

    def pytest_runtest_logfinish(self) -> None:
        """Tells of each check as soon as its outcome is known."""
        if self._judged is not None:
            self._judged(self._grading.outcomes)


@cache
def _compiled_checks() -> TemporaryFolder:
    """Where check files are kept compiled: pytest's rewriting takes as long as to run them."""
    folder = TemporaryFolder("checks-")
    atexit.register(folder.close)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps this pytest session and one that may be running around it apart."""
    saved = {name: os.environ.pop(name) for name in FOREIGN_SETTINGS if name in os.environ}
    bytecode = sys.dont_write_bytecode, sys.pycache_prefix
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(_compiled_checks().path)
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = bytecode
        for name in FOREIGN_SETTINGS:
            os.environ.pop(name, None)
        os.environ.update(saved)
        _forget_modules(folder)


def _forget_modules(folder: Path) -> None:
    """Check files of the same name in another assignment must not be taken for these."""
    inside = f"{folder}{os.sep}"
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(inside) and not name.startswith("nn_grader_"):
            del sys.modules[name]
