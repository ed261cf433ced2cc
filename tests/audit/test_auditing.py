"""A whole audit: a weak check has survivors, a strong one has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.audit.auditing import AuditOptions, audit, stale_declarations
from grader.audit.declarations import Declarations
from grader.audit.records import AuditReport, MutantResult, MutantStatus
from grader.errors import AssignmentError

from .conftest import IDLE, STRONG, WEAK, Penalized

# The audits take seconds each: one worker runs them all.
pytestmark = pytest.mark.xdist_group("audits")

BUG = """
[[mutant]]
name = "{}"
question = "1"
find = "1.0 * w"
replace = "{}"
costs = ["1"]
"""
EXPLAINED = "1/penalized/drop_decay/1"
MUTANTS = (
    BUG.format("doubled", "2.0 * w")
    + BUG.format("harmless", "w * 1.0")
    + f'\n[[survivor]]\nname = "{EXPLAINED}"\nwhy = "kept for the test"\n'
    + '\n[[equivalent]]\nname = "1/penalized/zero_stub/1"\nwhy = "it is not"\n'
    + '\n[[equivalent]]\nname = "1/gone/sign/1"\nwhy = "it was"\n'
)


def names(report: AuditReport, status: MutantStatus) -> set[str]:
    """The generic mutants that ended so."""
    return {mutant.name for mutant in report.mutants if mutant.status is status}


@pytest.fixture(scope="module")
def weak(penalized: Penalized) -> AuditReport:
    """An audit of checks that never turn weight decay on, of which one cannot fail."""
    return audit(penalized(WEAK + IDLE, mutants=MUTANTS))


@pytest.fixture(scope="module")
def strong(penalized: Penalized) -> AuditReport:
    """An audit of the same assignment with one more assertion."""
    return audit(penalized(STRONG))


def test_weak_check_has_survivors(weak: AuditReport) -> None:
    """A wrong answer that gets full marks fails the audit, with its diff and what differs."""
    survivors = {mutant.name: mutant for mutant in weak.survivors}
    flipped = survivors["1/penalized/sign/1"]
    assert "-    return 1.0 * w + decay * w\n+    return 1.0 * w - decay * w" in flipped.diff
    assert flipped.note.startswith("penalized(...) gives [")
    assert weak.score is not None
    assert weak.score < 0.95
    assert not weak.passed


def test_strong_check_has_none(strong: AuditReport) -> None:
    """Where a check asks for what was missing, every wrong mutant is killed by it."""
    assert strong.survivors == ()
    assert strong.score == 1.0
    assert strong.passed
    killed = [m for m in strong.mutants if m.status is MutantStatus.KILLED]
    assert len(killed) > 8
    assert {mutant.killed_by for mutant in killed} == {("1 test_penalized",)}
    assert strong.cover[0].mutants == strong.cover[0].killed == len(killed)


def test_equivalent_mutants_are_found_by_numbers(strong: AuditReport) -> None:
    """A mutant with the solution's results for other numbers does not count."""
    assert names(strong, MutantStatus.EQUIVALENT) == {"1/penalized/drop_factor/2"}
    right = next(m for m in strong.mutants if m.status is MutantStatus.EQUIVALENT)
    assert "+    return w + decay * w" in right.diff
    assert "for other numbers" in right.note


def test_explained_survivor(weak: AuditReport) -> None:
    """A survivor that mutants.toml explains needs nothing more, but still lowers the score."""
    assert names(weak, MutantStatus.EXPLAINED) == {EXPLAINED}
    assert EXPLAINED not in {mutant.name for mutant in weak.survivors}
    killed, alive = weak.count(MutantStatus.KILLED), len(weak.survivors) + 1
    assert weak.score == killed / (killed + alive)


def test_wrong_explanations(weak: AuditReport) -> None:
    """What mutants.toml says of a mutant that is killed, or of none, is at fault."""
    assert weak.faults == (
        "mutants.toml explains why 1/penalized/zero_stub/1 lives, but 1 test_penalized kills it",
        "mutants.toml explains 1/gone/sign/1, and there is no such generic mutant",
    )


def test_planted_mutants(weak: AuditReport) -> None:
    """A planted bug must cost the questions that it names, and no others."""
    found = {promise.name: promise for promise in weak.promises}
    assert found["doubled"].kept
    assert found["doubled"].found == "costs 1"
    assert not found["harmless"].kept
    assert found["harmless"].found == "costs nothing, and must cost 1"


def test_idle_check(weak: AuditReport, strong: AuditReport) -> None:
    """A check that no mutant ever fails is named."""
    assert weak.idle_checks == ("1 test_exists",)
    assert strong.idle_checks == ()


def test_wrong_solution_and_uncovered_question(penalized: Penalized) -> None:
    """Without full marks for the solution, the audit fails and runs no generic mutant."""
    worthless = STRONG.replace('question("1")', 'question("1", points=0)')
    report = audit(penalized(worthless))
    broken = [promise.name for promise in report.promises if not promise.kept]
    assert broken == ["solution", "release"]
    assert report.mutants == ()
    assert "say nothing" in report.faults[0]
    assert report.faults[1] == "no check covers 1, which carries 2 points"
    assert not report.passed


def test_unknown_question(penalized: Penalized) -> None:
    """Asking for a question that is not there is a usage error."""
    with pytest.raises(AssignmentError, match="no question '9'"):
        audit(penalized(STRONG), AuditOptions(questions=["9"]))


def test_too_few_killed(strong: AuditReport) -> None:
    """Explanations do not make up for a score that is too low."""
    all_explained = tuple(replace(m, status=MutantStatus.EXPLAINED) for m in strong.mutants)
    report = replace(strong, mutants=all_explained)
    assert report.survivors == ()
    assert report.score == 0.0
    assert not report.passed
    assert replace(report, least_score=0.0).passed


def test_no_mutants_no_score(strong: AuditReport) -> None:
    """An assignment without generic mutants has no score, and does not fail for it."""
    report = replace(strong, mutants=())
    assert report.score is None
    assert report.passed


def test_stale_declarations_of_other_questions() -> None:
    """Where only some questions are audited, explanations of others are left alone."""
    declarations = Declarations(equivalent={"2/f/sign/1": "…"})
    decided: list[MutantResult] = []
    assert stale_declarations(declarations, {"2/f/sign/1"}, decided) == []
