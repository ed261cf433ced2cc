"""`grader check`: what a student sees, and exit codes for CI."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader.assignment import Assignment
from grader.commands import check as command
from grader.releasing import make_bundle, write_bundle

Call = Callable[..., int]
TINY = Path(__file__).parents[1] / "tiny"
WRONG_SLOPE = "def square(x):\n    return x * x\n\n\ndef square_grad(x):\n    return -2 * x\n"


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader check ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "check")


@pytest.fixture
def at_home(tiny: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The student's folder, in which the commands are given."""
    write_bundle(make_bundle(tiny), tmp_path / "homework")
    monkeypatch.chdir(tmp_path / "homework")
    return tmp_path / "homework"


@pytest.fixture
def save(at_home: Path, answered: Callable[..., object]) -> Callable[..., None]:
    """Saves the solution in the student's notebook, with the sources of some cells replaced."""

    def save(**sources: str) -> None:
        made = answered(**sources)
        (at_home / "tiny.ipynb").write_bytes(made.files["hand-in.ipynb"])  # type: ignore[attr-defined]

    return save


def test_failure(
    call: Call, save: Callable[..., None], capsys: pytest.CaptureFixture[str], at_home: Path
) -> None:
    """Without arguments the folder's notebook is checked; of a failure the cure is said, too."""
    save(**{"q1a-answer": WRONG_SLOPE})
    assert call("--json", "report.json", "--junit", "ci/junit.xml") == 1
    out = capsys.readouterr().out
    assert "1a  1/2  failed            the square" in out
    assert "1b  -    read by a person  why squares" in out
    assert "✗ test_square_grad: " in out
    assert "what is asked: square_grad(x) is the derivative of your square(x)." in out
    assert "what it looks like: " in out
    assert "sign" in out
    assert "try: compute one element by hand: element [" in out
    assert "3 of 4 checks passed" in out
    assert "graded with more checks" in out
    assert json.loads((at_home / "report.json").read_text())["schema"] == "nn-grader/report/v1"
    cases = ET.parse(at_home / "ci" / "junit.xml").getroot()[0].findall("testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None] == [
        "1a the square"
    ]


def test_exit_codes(call: Call, save: Callable[..., None], at_home: Path) -> None:
    """0 where all passed, 1 where one failed, 0 all the same where CI asks for it, 2 for slips."""
    assert call("-q", "2a", "--exit-zero") == 0
    assert call("-q", "2a") == 1
    save()
    assert call("-q", "2a") == 0
    assert call("-q", "7") == 2
    (at_home / "tiny.ipynb").write_text('{"cells": [')
    assert call() == 2


def test_hidden_checks_stay_hidden(
    call: Call, answered: Callable[..., object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the author's folder, too, nothing tells that there is a hidden check."""
    only_vectors = "def square(x):\n    assert np.ndim(x) < 2\n    return x * x\n"
    made = answered(**{"q1a-answer": only_vectors + "def square_grad(x):\n    return 2 * x\n"})
    path = tmp_path / "hw.ipynb"
    path.write_bytes(made.files["hand-in.ipynb"])  # type: ignore[attr-defined]
    assert call(TINY, path, "-q", "1a", "-v", "--json", "-") == 0
    said = capsys.readouterr().out
    assert json.loads(said)["questions"][0]["points"] == 2.0
    assert "many" not in said
    assert "any shape" not in said


def test_watch(
    call: Call,
    save: Callable[..., None],
    at_home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It checks again after each save, and a half-written notebook does not end it."""
    save()
    saves = iter(
        [
            lambda: (at_home / "tiny.ipynb").write_text('{"cells": ['),
            lambda: save(**{"q2a-answer": "def sum_of_squares(x:\n"}),
        ]
    )

    def next_change(list_paths: object, before: object) -> None:
        try:
            next(saves)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(command, "next_change", next_change)
    assert call("-q", "2a", "--watch") == 130
    said = capsys.readouterr()
    assert "1 of 1 check passed" in said.out
    assert "0 of 1 check passed" in said.out
    assert said.out.count("waiting for tiny.ipynb to be saved") == 3
    assert "cut off" in said.err or "JSON" in said.err
