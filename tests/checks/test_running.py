"""An assignment's checks in a pytest session of their own, apart from any other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.checks.outcome import CheckOutcome
from grader.checks.running import run_checks
from grader.errors import AssignmentError
from grader.records import CheckStatus
from grader.session import Session, open_session
from grader.submission import load_submission

Run = Callable[..., list[CheckOutcome]]


@pytest.fixture(scope="module")
def session(tiny: Assignment) -> Iterator[Session]:
    """The tiny assignment's own solution, run."""
    with open_session(tiny, load_submission(tiny.folder / "solution.ipynb")) as opened:
        yield opened


@pytest.fixture
def run(session: Session, tmp_path: Path) -> Run:
    """Runs checks with this source, in files of these names, against the solution."""
    folder = tmp_path / "course" / "exercise"
    (folder / "checks").mkdir(parents=True)

    def run(source: str, **others: str) -> list[CheckOutcome]:
        for name, text in {"test_own": source, **others}.items():
            (folder / "checks" / f"{name}.py").write_text(f"import pytest\n{text}")
        return run_checks(replace(session, assignment=replace(session.assignment, folder=folder)))

    return run


def test_tiny(session: Session) -> None:
    """All checks of the solution pass, in the order of the questions."""
    outcomes = run_checks(session)
    assert [outcome.question for outcome in outcomes] == ["1a", "1a", "1a", "2a", "2c"]
    assert {outcome.verdict.status for outcome in outcomes} == {CheckStatus.PASSED}


def test_outer_session_is_not_disturbed(
    session: Session, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The environment, the import path, the modules and the output of a run around it stay."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    environment, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    assert "PYTEST_CURRENT_TEST" in environment
    run_checks(session)
    assert dict(os.environ) == environment
    assert sys.path == path
    assert not {name for name in set(sys.modules) - modules if "test_tiny" in name}
    assert capfd.readouterr() == ("", "")


def test_foreign_settings(run: Run, tmp_path: Path) -> None:
    """Neither a pytest.ini nor a conftest.py above the assignment has a say."""
    (tmp_path / "course" / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option")
    (tmp_path / "course" / "conftest.py").write_text("raise RuntimeError('not yours to load')")
    outcomes = run(
        "@pytest.mark.question('1a')\ndef test_a(student): assert student.square(2) == 4"
    )
    assert [outcome.verdict.status for outcome in outcomes] == [CheckStatus.PASSED]


def test_own_conftest_and_modules(run: Run) -> None:
    """A conftest.py and modules beside the checks can be used."""
    [outcome] = run(
        "import helpers\n"
        "@pytest.mark.question('1a')\n"
        "def test_a(student, three): assert student.square(three) == helpers.NINE",
        conftest="@pytest.fixture\ndef three(): return 3",
        helpers="NINE = 9",
    )
    assert outcome.verdict.status is CheckStatus.PASSED


def test_modules_of_the_same_name(run: Run) -> None:
    """A helper module that changed between two runs, or lies elsewhere, is loaded anew."""
    check = (
        "import helpers\n"
        "@pytest.mark.question('1a')\n"
        "def test_a(student): assert helpers.VALUE == 1"
    )
    assert run(check, helpers="VALUE = 1")[0].verdict.status is CheckStatus.PASSED
    assert run(check, helpers="VALUE = 100")[0].verdict.status is CheckStatus.FAILED


def test_printing_check(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """What a check prints does not get into the grader's own output."""
    run("@pytest.mark.question('1a')\ndef test_a(student): print('debugging')")
    assert capfd.readouterr() == ("", "")


def test_warning_check(run: Run) -> None:
    """A warning in a check is no failure, whatever the settings around it."""
    [outcome] = run(
        "import warnings\n@pytest.mark.question('1a')\ndef test_a(student): warnings.warn('old')"
    )
    assert outcome.verdict.status is CheckStatus.PASSED


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def test_a(student:", r"test_own\.py"),
        ("import no_such_package", r"test_own\.py[\s\S]*no_such_package"),
        ("1 / 0", r"test_own\.py[\s\S]*ZeroDivisionError"),
        ("def test_a(student): pass", r"test_own\.py::test_a: .* no @pytest\.mark\.question"),
        (
            "@pytest.mark.question('9z')\ndef test_a(): pass",
            r"test_own\.py::test_a: no question 9z",
        ),
        (
            "@pytest.mark.question('1a', needs=['9z'])\ndef test_a(): pass",
            r"test_own\.py::test_a: no question 9z",
        ),
        (
            "@pytest.mark.question('1a', needs='2a')\ndef test_a(): pass",
            r"test_own\.py::test_a: .*needs",
        ),
        ("@pytest.mark.question\ndef test_a(): pass", r"test_own\.py::test_a: .*question"),
        (
            "@pytest.mark.question('1a', point=2)\ndef test_a(): pass",
            r"test_own\.py::test_a: .*unexpected keyword argument 'point'",
        ),
        (
            "@pytest.mark.question('1a', points=-1)\ndef test_a(): pass",
            r"test_own\.py::test_a: .*points",
        ),
    ],
)
def test_broken_checks(
    run: Run, capfd: pytest.CaptureFixture[str], source: str, words: str
) -> None:
    """A check that cannot be run is the author's fault, told with its file and name."""
    with pytest.raises(AssignmentError, match=words):
        run(source)
    assert capfd.readouterr() == ("", "")


def test_no_checks(run: Run) -> None:
    """A folder without a check is the author's fault."""
    with pytest.raises(AssignmentError, match="checks"):
        run("")


def test_interrupt(run: Run) -> None:
    """Ctrl-C during a check ends the grading, and is no verdict."""
    with pytest.raises(KeyboardInterrupt):
        run("@pytest.mark.question('1a')\ndef test_a(student): raise KeyboardInterrupt")
