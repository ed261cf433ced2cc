"""What students get of the bundled assignments tells a right answer from a wrong one."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader.assignment import load_assignment
from grader.records import CheckStatus, Report
from grader.releasing import make_bundle, write_bundle
from grader.selfcheck.checking import check_at_home
from grader.selfcheck.finding import find_work

# The questions with checks that only students run, and a slip in the answer of the first.
AT_HOME = {
    "aalto_ex09": (["2"], ("wd_coefficient * model[name]", "2 * wd_coefficient * model[name]")),
    "gatech_ps1": (
        ["5.two_layer", "5.softmax_regression", "5.sigmoid", "5.relu"],
        ("d_scores /= len(y)", "d_scores /= 2 * len(y)"),
    ),
    "radboud_a1": (["1.2b", "1.2f", "1.2k", "1.4a"], ("e / (1 + e) ** 2", "e / (1 + e)")),
}


def checked(slug: str, folder: Path, slip: tuple[str, str] = ("", "")) -> Report:
    """The solution's outcome in the student's folder, with a slip in its code."""
    assignment = load_assignment(slug)
    write_bundle(make_bundle(assignment), folder)
    texts = {f"{slug}.ipynb": nbformat.writes(assignment.solution), **assignment.solution_files}
    if slip[0]:
        assert any(slip[0] in text for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(*slip) if slip[0] else text, encoding="utf-8")
    work = find_work(start=folder)
    return check_at_home(work.assignment, work.read(), set(AT_HOME[slug][0]))


@pytest.mark.parametrize("slug", AT_HOME)
def test_right_answers_pass(slug: str, tmp_path: Path) -> None:
    """The solution passes every check that students have of these questions."""
    report = checked(slug, tmp_path / "home")
    statuses = {c.name: c.status for q in report.questions for c in q.checks}
    assert set(statuses.values()) == {CheckStatus.PASSED}, statuses
    assert [q.id for q in report.questions if not q.checks] == []


@pytest.mark.parametrize("slug", ["aalto_ex09", "gatech_ps1"])
def test_a_wrong_gradient_fails(slug: str, tmp_path: Path) -> None:
    """A factor of 2 in a gradient does not go home as right."""
    questions, slip = AT_HOME[slug]
    report = checked(slug, tmp_path / "home", slip)
    first = next(q for q in report.questions if q.id == questions[0])
    failed = [check for check in first.checks if check.status is CheckStatus.FAILED]
    assert failed
    assert all(check.diagnosis is not None for check in failed)
