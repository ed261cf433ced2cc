"""A hand-in of the tiny assignment, for tests that change it and align it."""

from __future__ import annotations

import copy

import pytest
from hand_ins import SQUARES
from nbformat import NotebookNode

from grader.assignment import Assignment


@pytest.fixture
def notebook(tiny: Assignment) -> NotebookNode:
    """A complete hand-in: the release, filled in, its own code cells run."""
    filled = copy.deepcopy(tiny.release)
    filled.cells[4].source = SQUARES
    filled.cells[7].source = "Because its derivative changes sign."
    filled.cells[10].source = "def sum_of_squares(x):\n    return sum(square(v) for v in x)"
    filled.cells[12].execution_count = 3
    filled.cells[14].source = "total = sum_of_squares([1, 2, 3])"
    return filled
