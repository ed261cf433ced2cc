"""An audit as tables, plain lines, JSON and HTML."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from grader.audit.files import to_html, to_json, write_audit
from grader.audit.records import (
    AuditReport,
    MutantResult,
    MutantStatus,
    Promise,
    PromiseResult,
    QuestionCover,
)
from grader.audit.table import render_audit

DIFF = "@@ -1 +1 @@\n-    return a < b\n+    return a <= b"


def mutant(name: str, status: MutantStatus, note: str = "") -> MutantResult:
    """A decided mutant."""
    return MutantResult(name, "1a", "sign", "A sign is wrong.", DIFF, status, 0.5, (), note)


REPORT = AuditReport(
    assignment="week_1",
    title="Week <1>",
    points=3,
    promises=(
        PromiseResult(Promise.SOLUTION, "solution", True, "full marks", 1.0),
        PromiseResult(Promise.RELEASE, "release", False, "it gets 1 points", 1.0),
    ),
    mutants=(
        *(mutant(f"1a/f/sign/{n}", MutantStatus.KILLED) for n in range(8)),
        mutant("1a/f/factor/1", MutantStatus.SURVIVED, "f(...) gives 2 where it should give 1"),
        mutant("1a/f/axis/1", MutantStatus.UNDECIDED, "it leaves 1a ungraded"),
        mutant("1a/f/stale/1", MutantStatus.EQUIVALENT, "the same 12 results"),
        mutant("1a/f/no_op/1", MutantStatus.DECLARED, "any order is right"),
    ),
    cover=(QuestionCover("1a", 2, 3, 1, 2.0, 10, 8), QuestionCover("1b", 1, 0, 0, 0.0, 0, 0)),
    idle_checks=("1a test_exists",),
    faults=("no check covers 1b, which carries 1 points",),
    remarks=("no variant",),
    grading_seconds=1.5,
    seconds=20.0,
    jobs=2,
    isolation="namespaces",
    environment={"python": "3.12"},
    least_score=0.95,
)


def printed(report: AuditReport, *, terminal: bool = False) -> str:
    """What the audit prints."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    render_audit(report, console)
    return out.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_table(terminal: bool) -> None:
    """The tables name broken promises, survivors with their diffs, and the score."""
    text = printed(REPORT, terminal=terminal)
    for words in (
        "it gets 1 points",
        "1a/f/factor/1: your checks would give full marks to this:",
        "1a/f/axis/1: your checks cannot decide on this:",
        "+    return a <= b",
        "A sign is wrong. Found: f(...) gives 2 where it should give 1",
        "Equivalent by mutants.toml: 1a/f/no_op/1 (any order is right)",
        "Never failed on any mutant: 1a test_exists",
        "Fault: no check covers 1b",
        "Mutation score: 80.0% (8 of 10 killed; 2 equivalent; at least 95% must be)",
        "The audit failed: 1 broken promise, 2 survivors without an explanation, 1 fault, ",
    ):
        assert words in text.replace("\n", " ") or words in text


def test_passed() -> None:
    """An audit without anything wrong says so last."""
    good = replace(REPORT, promises=REPORT.promises[:1], mutants=REPORT.mutants[:8], faults=())
    assert good.passed
    assert printed(good).rstrip().endswith("The audit passed.")


def test_json() -> None:
    """The JSON holds every field, the mutation score and the verdict."""
    content = json.loads(to_json(REPORT))
    assert content["schema"] == "nn-grader/audit/v1"
    assert content["mutation_score"] == 0.8
    assert content["passed"] is False
    assert content["mutants"][8]["status"] == "survived"
    assert content["mutants"][8]["diff"] == DIFF
    assert content["promises"][1]["promise"] == "release"
    assert content["promises"][1]["kept"] is False


def test_html() -> None:
    """The page shows every mutant, and what authors write is escaped."""
    page = to_html(REPORT)
    assert "<title>Audit: Week &lt;1&gt;</title>" in page
    assert "Week <1>" not in page
    assert "a &lt;= b" in page
    assert "a <= b" not in page
    assert all(m.name in page for m in REPORT.mutants)
    assert "<script" not in page


def test_files(tmp_path: Path) -> None:
    """Both files are written, into a folder that may not exist yet."""
    paths = write_audit(REPORT, tmp_path / "new" / "out")
    assert [path.name for path in paths] == ["audit.html", "audit.json"]
    assert all(path.read_text(encoding="utf-8") for path in paths)
