"""Whether a mutant's results are the solution's, for numbers that no check asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.assignment import Assignment, load_assignment
from grader.audit.equivalence import (
    PERTURBATIONS,
    Comparison,
    _alike,
    _prints_alike,
    _words,
    compare,
)
from grader.audit.generating import GenericMutant
from grader.audit.tracing import Answer

HEAD = "def square(x):\n"
TAIL = "\n\n\ndef square_grad(x):\n    return 2 * x"


def compared(tiny: Assignment, body: str, crash: str = "    raise SystemError") -> Comparison:
    """A mutant of the tiny assignment's first answer, compared with the solution."""
    source = HEAD + body + TAIL
    mutant = GenericMutant("1a", "1a", "sign", "", "square", 4, "", source, HEAD + crash + TAIL, "")
    return compare(tiny, mutant)


def test_equivalent(tiny: Assignment) -> None:
    """Another formula with the same values is equivalent."""
    found = compared(tiny, "    return abs(x) * abs(x)")
    assert found.equivalent
    assert "other numbers" in found.note


def test_different_elsewhere(tiny: Assignment) -> None:
    """A function that differs only where no check looks is wrong, and the note says where."""
    found = compared(tiny, "    return np.where(np.abs(x) > 30, 0, x * x)")
    assert not found.equivalent
    assert found.note.startswith("square(...) gives ")


RUNS_AGAIN = """
import numpy as np
import pytest

from grader.checks import assert_close


@pytest.mark.question("1a")
def test_again(student):
    \"\"\"Your cells can be run again.\"\"\"
    copy = student.before()
    copy.run_answer()
    assert_close(copy.square(np.array([1.5, 3.0])), np.array([2.25, 9.0]))
"""


def test_answer_that_a_check_runs_again(tiny_folder: Path) -> None:
    """Where a check runs the answer itself, it is the mutant's that is run and compared."""
    (tiny_folder / "checks" / "test_tiny.py").write_text(RUNS_AGAIN)
    tiny = load_assignment(tiny_folder)
    assert compared(tiny, "    return abs(x) * abs(x)").equivalent
    found = compared(tiny, "    return np.where(np.abs(x) > 30, 0, x * x)")
    assert found.note.startswith("square(...) gives ")


def test_line_that_nothing_reaches(tiny: Assignment) -> None:
    """A change that no check can see proves nothing: it counts as a survivor."""
    found = compared(tiny, "    return x * x", crash="    return x * x\n    raise SystemError")
    assert found == Comparison(False, "nothing that the checks ask reaches this line")


def test_argument_that_is_overwritten(tiny: Assignment) -> None:
    """A mutant with the right result that changes its argument is wrong."""
    found = compared(tiny, "    y = x * x\n    if np.ndim(x): x[...] = 0\n    return y")
    assert not found.equivalent
    assert "arguments" in found.note


@pytest.mark.parametrize(
    ("right", "wrong", "same"),
    [
        (1, 1.0, True),
        (np.array([1, 0]), np.array([1.0, 0.0]), True),
        (np.array([1.0]), 1.0, False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (1.0, 1.0 + 1e-6, False),
        ((1, "a"), (1, "a"), True),
        ((1, "a"), [1, "a"], False),
        ({"W": np.ones(2)}, {"W": np.ones(2)}, True),
        ({"W": np.ones(2)}, {"b": np.ones(2)}, False),
        (None, 0, False),
    ],
)
def test_alike(right: object, wrong: object, same: bool) -> None:
    """Data are the same where shapes and values are; integers equal floats."""
    assert _alike(right, wrong) is same


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"X": np.ones(9), "z": 2.0}, "arrays['z'] gives 2.0 where the solution gives 1.0"),
        ({"X": np.ones(9)}, "arrays['z'] gives nothing where the solution gives 1.0"),
    ],
)
def test_words_name_the_entry(wrong: dict[str, object], words: str) -> None:
    """Of several variables, the note shows the one that differs or is missing."""
    right = {"X": np.ones(9), "z": 1.0}
    assert _words(Answer("arrays", right), Answer("arrays", wrong)) == words


def test_printed_numbers() -> None:
    """Printed text is compared by its numbers, however they are written."""
    assert _prints_alike("x: [1. 0.] -2e-3", "[1 0]  -0.002")
    assert not _prints_alike("1 2", "1 3")
    assert not _prints_alike("1 2", "1")


@pytest.mark.parametrize("perturb", PERTURBATIONS[1:])
def test_perturbations(perturb: object) -> None:
    """Every kind of other numbers changes something, keeps shapes, and leaves words alone."""
    assert callable(perturb)
    values = [np.arange(1.0, 7).reshape(2, 3), np.array([0, 1, 2, 3]), 0.5, 3, "name", True, None]
    rng = np.random.default_rng(1)
    changed = [perturb(value, rng) for value in values]
    assert any(np.any(a != b) for a, b in zip(values, changed, strict=True))
    assert [np.shape(value) for value in changed] == [np.shape(value) for value in values]
    assert changed[4:] == ["name", True, None]
    assert sorted(changed[1]) == [0, 1, 2, 3]
