"""`grader audit`: its exit code, its files, and what it prints where."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from grader.audit import auditing
from grader.audit.auditing import AuditOptions, Progress
from grader.audit.records import AuditReport, Promise, PromiseResult

TINY = Path(__file__).parents[1] / "tiny"
Call = Callable[..., int]


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader audit ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "audit")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AuditOptions]:
    """Audits are not run: what they were asked for, in order; the solution fails for jobs=3."""
    options: list[AuditOptions] = []

    def audit(assignment: object, given: AuditOptions, progress: Progress) -> AuditReport:
        options.append(given)
        progress(1, 1, "survived: 1a/f/sign/1")
        kept = given.jobs != 3
        promise = PromiseResult(Promise.SOLUTION, "solution", kept, "…", 1.0)
        nothing: tuple[()] = ()
        return AuditReport(
            *("tiny", "Tiny", 5, (promise,), nothing, nothing, nothing, nothing, nothing),
            *(1.0, 1.0, given.jobs, "none", {}, given.least_score),
        )

    monkeypatch.setattr(auditing, "audit", audit)
    return options


def test_exit_codes(call: Call, asked: list[AuditOptions]) -> None:
    """0 where the audit passes, 1 where a promise is broken, 2 for what is not there."""
    assert call(TINY, "-j", 1) == 0
    assert call(TINY, "-j", 3) == 1
    assert call(TINY / "nothing") == 2
    assert call(TINY, "-j", 0) == 2


def test_options(call: Call, asked: list[AuditOptions]) -> None:
    """Questions, the least score and the isolation reach the audit."""
    call(TINY, "-q", "1a", "-q", "2a", "--least-score", 80, "--isolation", "none")
    assert asked[0].questions == ("1a", "2a")
    assert asked[0].least_score == 0.8
    assert asked[0].isolation == "none"
    call(TINY)
    assert asked[1].questions is None
    assert asked[1].jobs >= 1


def test_output(
    call: Call, asked: list[AuditOptions], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress goes to stderr as plain lines; files are written where asked for."""
    assert call(TINY, "-o", tmp_path / "out", "--json", tmp_path / "a.json") == 0
    out, err = capsys.readouterr()
    assert err == "1 of 1  survived: 1a/f/sign/1\n"
    assert "The audit passed." in out
    assert json.loads((tmp_path / "a.json").read_text())["passed"] is True
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"audit.html", "audit.json"}


def test_json_on_the_terminal(
    call: Call, asked: list[AuditOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json -` prints JSON and nothing else on stdout."""
    call(TINY, "--json", "-")
    assert json.loads(capsys.readouterr().out)["assignment"] == "tiny"


def test_unwritable_output(
    call: Call, asked: list[AuditOptions], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that cannot be made is the user's error."""
    (tmp_path / "file").write_text("")
    assert call(TINY, "-o", tmp_path / "file" / "out") == 2
    assert "cannot be written" in capsys.readouterr().err
