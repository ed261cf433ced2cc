"""The mangle table's cells; `conftest.py` says how to ask for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from mangling import HandIn, read_hand_in, solution_hand_in, wrong_hand_in
from mangling.trying import attempt, baseline

from grader.assignment import Assignment, load_assignment
from grader.records import Report


@cache
def undeformed(slug: str, base: str, hand_ins: Path | None) -> tuple[Assignment, HandIn, Report]:
    """An assignment, a hand-in and its report; graded once a worker."""
    assignment = load_assignment(slug)
    if base == "hand-in" and hand_ins:
        hand_in = read_hand_in(next(iter(hand_ins.glob(f"{slug}*"))), assignment)
    else:
        hand_in = (wrong_hand_in if base == "wrong" else solution_hand_in)(assignment)
    return assignment, hand_in, baseline(hand_in, assignment)


def test_deformation(
    case: tuple[str, str, tuple[str, ...]],
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    """A deformed hand-in keeps its points, or is left to a person with a reason; none is earned."""
    slug, base, names = case
    kind = base if base in ("hand-in", "wrong") else "solution"
    hand_ins = pytestconfig.getoption("mangle_hand_ins")
    assignment, hand_in, before = undeformed(slug, kind, hand_ins)
    trial = attempt(names, hand_in, assignment, before, may_doubt=base == "wrong")
    row = " + ".join(names) if base == "combined" else names[0]
    record_property("mangle", [slug, base, row, str(trial.outcome)])
    assert trial.holds, "\n".join(trial.details)
