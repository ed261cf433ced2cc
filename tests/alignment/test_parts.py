"""Which cells are taken apart, and where."""

from __future__ import annotations

import pytest
from hand_ins import SQUARES

from grader.alignment.cells import released_cells
from grader.alignment.parts import Home, homes_of, take_apart
from grader.assignment import Assignment

SUM = "def sum_of_squares(x):\n    return sum(square(v) for v in x)"


@pytest.fixture(scope="module")
def homes(tiny: Assignment) -> list[Home]:
    """The tiny release's code cells."""
    return homes_of(released_cells(tiny), tiny)


@pytest.mark.parametrize(
    "source",
    [
        SQUARES,
        f"import math\nscale = 2\n\n{SQUARES}\n\nfor x in range(3):\n    print(square(x))",
        f"{SQUARES}\nsquare = np.vectorize(square)",
        f"%%time\n{SQUARES}\n\n{SUM}",
        "def square(x) return x",
        "x = 1\ny = 2\nprint(x, y)",
        "",
    ],
)
def test_one_answer(homes: list[Home], source: str) -> None:
    """A cell that answers one question, or none, stays whole, and so does one with a cell magic."""
    assert take_apart(source, homes) == [source]


def test_two_answers(homes: list[Home]) -> None:
    """Each part has one question's definitions, the lines behind and the comments before them."""
    first = f"import math\n{SQUARES}\nprint(square(2))"
    second = f"# the second question\n@cache\n{SUM}\nprint(sum_of_squares([1]))"
    third = "total = sum_of_squares([1, 2, 3])"
    parts = take_apart(f"{first}\n\n{second}\n\n{third}", homes)
    assert parts == [first, second, third]


def test_any_order(homes: list[Home]) -> None:
    """Answers in another order than the questions are taken apart as well."""
    assert take_apart(f"{SUM}\n{SQUARES}", homes) == [SUM, SQUARES]


def test_one_line(homes: list[Home]) -> None:
    """Two statements of a line are not parted, and magics stay where they are."""
    parts = take_apart(f"square = abs; total = 3\n%pwd\n{SUM}", homes)
    assert len(parts) > 1
    assert "\n".join(parts) == f"square = abs; total = 3\n%pwd\n{SUM}"
    assert parts[0].startswith("square = abs; total = 3")
