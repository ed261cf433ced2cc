"""Gradescope's container, laid out in a temporary folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import nbformat
import pytest
from ci_reports import check, question

from grader.assignment import Assignment
from grader.ci import gradescope
from grader.ci.gradescope import BEGUN, FAULT, NO_TIME, RESULTS, TOO_LATE, Settings
from grader.ci.grading import OUR_FAULT, UNUSABLE, Graded
from grader.ci.packaging import Options
from grader.ci.packaging import gradescope as package
from grader.ci.writing import write_zip
from grader.errors import AssignmentError, UsageError
from grader.lms.gradescope import results_json
from grader.records import CheckStatus, QuestionStatus, Report
from grader.submission import Submission

LOUD = """
print("::error::owned", '{"score": 99}', "]]> <script>" , "\\x1b[31m\\x00")
import os, sys
for path in ("/autograder/results/results.json", "../results/results.json"):
    try:
        open(path, "w").write('{"score": 99}')
    except OSError:
        pass
def square(x):
    return x * x + 1
def square_grad(x):
    return 2 * x
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The container's folders, with the settings of an assignment that is not there."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "source" / "settings.json").write_text(Settings("tiny", "", 60.0).text())
    return tmp_path


def results(root: Path) -> dict[str, Any]:
    """What Gradescope would read."""
    found = json.loads((root / RESULTS).read_text())
    assert isinstance(found, dict)
    return found


def environment_beside(root: Path) -> None:
    """A virtual environment that sees what is installed here: `setup.sh` need only add to it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    site = next((root / "venv").glob("lib/python*/site-packages"))
    (site / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")


def test_the_zip_in_the_documented_folders(
    tiny: Assignment, answered: Callable[..., Submission], tmp_path: Path
) -> None:
    """The zip sets itself up and grades: points, visibility, and nothing of a student's printing.

    The environment is new, and gets the grader from the wheel in the zip; the packages that the
    grader needs are those installed here, so that none is downloaded.
    """
    write_zip(package(tiny, Options()), tmp_path / "autograder.zip")
    root = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(root / "source")
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    (root / "submission").mkdir()
    (root / "results").mkdir()
    submission = answered(**{"q1a-answer": LOUD})
    nbformat.write(submission.notebook, root / "submission" / "hand-in.ipynb")
    about = {"id": 409, "users": [], "assignment": {"total_points": "6.0"}}
    (root / "submission_metadata.json").write_text(json.dumps(about))
    environment_beside(root)
    variables = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root)}
    offline = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(
        ["bash", root / "source" / "setup.sh"], env=variables | offline, cwd=root, check=True
    )
    installed = next((root / "venv").glob("lib/python*/site-packages/grader"))
    assert not (installed / "assignments").exists()

    run = subprocess.run(
        ["bash", root / "source" / "run_autograder"],
        env=variables,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    found = results(root)
    tests = {test["name"].partition(": ")[2]: test for test in found["tests"]}
    hidden = tests["square(x) takes arrays of any shape."]
    assert (hidden["visibility"], hidden["status"], hidden["score"]) == ("hidden", "failed", 0)
    derivative = tests["square_grad(x) is the derivative of your square(x)."]
    assert (derivative["visibility"], derivative["score"]) == ("visible", 0.5)
    assert found["score"] == 2.5
    assert found["stdout_visibility"] == "hidden"
    assert BEGUN not in found["output"]
    assert "1 point wait" in found["output"]
    assert "owned" not in run.stdout + run.stderr
    assert "Gradescope's assignment has 6.0 points, the grader's 5" in run.stdout


class Child:
    """In place of the process that grades: it leaves `left` behind, and ends with `code`."""

    left: Report | None = None
    code: int | None = 0

    def __init__(self, command: list[str], **more: object) -> None:
        self.pid = 2**22 + 1
        if self.left is not None:
            root = Path(command[command.index("--root") + 1])
            known = gradescope._with_words(results_json(self.left), BEGUN)
            (root / RESULTS).write_text(json.dumps(known))

    def __enter__(self) -> Self:
        """As a process does."""
        return self

    def __exit__(self, *error: object) -> None:
        """As a process does."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; None is a process that does not end by itself."""
        if self.code is None and timeout is not None:
            raise subprocess.TimeoutExpired("grade", timeout)
        return self.code or 0


@pytest.mark.parametrize(
    ("code", "is_known", "words", "exit_code"),
    [
        (None, True, TOO_LATE, 0),
        (None, False, NO_TIME, OUR_FAULT),
        (-9, True, FAULT, 0),
        (-9, False, FAULT, OUR_FAULT),
        (1, False, FAULT, OUR_FAULT),
    ],
)
def test_what_stands_when_grading_is_cut_off(
    root: Path,
    report: Report,
    monkeypatch: pytest.MonkeyPatch,
    code: int | None,
    is_known: bool,
    words: str,
    exit_code: int,
) -> None:
    """What was judged keeps its points; where nothing was, there is no score at all."""
    monkeypatch.setattr(Child, "code", code)
    monkeypatch.setattr(Child, "left", report if is_known else None)
    monkeypatch.setattr(gradescope.subprocess, "Popen", Child)
    assert gradescope.watch(root) == exit_code
    found = results(root)
    assert found["output"].startswith(words)
    assert BEGUN not in found["output"]
    assert ("score" in found) == is_known
    assert bool(found["tests"]) == is_known


@pytest.mark.parametrize(
    "graded",
    [
        Graded(None, OUR_FAULT, "OSError: no room", "Traceback"),
        Graded(None, UNUSABLE, "this machine offers isolation 'none'"),
    ],
)
def test_fault_of_ours(root: Path, graded: Graded) -> None:
    """A fault of ours gives no score, and tells students no more than that it is not theirs."""
    gradescope._write(root / RESULTS, gradescope._without_score(BEGUN))
    assert gradescope._finish(graded, root / RESULTS) == OUR_FAULT
    found = results(root)
    assert "score" not in found
    assert found["output"] == FAULT


def test_broken_checks(root: Path, report: Report) -> None:
    """Where every check failed by the author's fault, there is no zero."""
    broken = check(CheckStatus.ERROR, cause="author")
    nothing = replace(report, questions=(question("1a", QuestionStatus.UNGRADED, broken),))
    gradescope._write(root / RESULTS, gradescope._without_score(BEGUN))
    assert gradescope._finish(Graded(nothing, OUR_FAULT), root / RESULTS) == OUR_FAULT
    assert "score" not in results(root)


def test_broken_metadata(tmp_path: Path) -> None:
    """Grading does not depend on what Gradescope says of the submission."""
    path = tmp_path / "submission_metadata.json"
    assert gradescope._metadata(path) == {}
    path.write_text("[1")
    assert gradescope._metadata(path) == {}


def test_refusals(tiny: Assignment) -> None:
    """A student's bundle is no autograder, and without time nothing can be graded."""
    with pytest.raises(AssignmentError, match="is a release"):
        package(replace(tiny, notebook="hw.ipynb"), Options())
    with pytest.raises(UsageError, match="too few"):
        package(tiny, Options(minutes=0.5))
