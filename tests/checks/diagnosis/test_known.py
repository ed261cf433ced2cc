"""Known wrong answers: named where a wrong value equals exactly one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.checks import ValueMismatch, assert_close
from grader.checks.diagnosis.known import known_wrong
from grader.records import Diagnosis

RIGHT = np.array([1.0, 2.0, 4.0])
KNOWN: dict[str, Any] = {
    "averaged": ("You average.", RIGHT.mean()),
    "reversed": ("You go backwards.", RIGHT[::-1]),
    "sign": -RIGHT,
}


def named(actual: Any, known: dict[str, Any] | None = None) -> Diagnosis | None:
    """The diagnosis of a value that is wrong."""
    with pytest.raises(ValueMismatch) as caught:
        assert_close(actual, RIGHT, known=KNOWN if known is None else known)
    return caught.value.diagnosis


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (RIGHT.mean(), "averaged"),
        (RIGHT[::-1], "reversed"),
        ([4, 2, 1], "reversed"),
        (RIGHT[::-1].reshape(3, 1), "reversed"),
        (-RIGHT, "sign"),
        (-RIGHT * (1 + 1e-12), "sign"),
    ],
)
def test_named(wrong: Any, code: str) -> None:
    """A wrong value that equals a known one has its name, whatever its form."""
    found = named(wrong)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(
    "wrong",
    [
        -RIGHT * 1.0001,
        RIGHT[::-1] * [1, 1, 1.001],
        RIGHT.mean() + 1e-3,
        np.full(3, RIGHT.mean()),
        np.full((1, 3), np.nan),
        None,
        "[4, 2, 1]",
        [],
    ],
)
def test_not_named(wrong: Any) -> None:
    """What only resembles a known wrong answer, or is no numbers at all, has no name."""
    assert named(wrong) is None


def test_right_value() -> None:
    """A right value passes, whatever the wrong ones are."""
    assert_close(RIGHT, RIGHT, known={"odd": ("It is right.", RIGHT)})


def test_two_names() -> None:
    """Two wrong answers of the same value say nothing."""
    both = {"one": ("It is one.", -RIGHT), "two": ("It is two.", -RIGHT)}
    assert named(-RIGHT, both) is None


def test_sentences() -> None:
    """An author's sentence is told as it is; a code of ours brings its own."""
    found = named(RIGHT[::-1])
    assert found is not None
    assert found.text == "You go backwards."
    own = named(-RIGHT)
    assert own is not None
    assert "sign" in own.text
    with pytest.raises(ValueError, match="'odd' needs a sentence"):
        assert_close(-RIGHT, RIGHT, known={"odd": -RIGHT})


def test_numbers() -> None:
    """A single number is compared, too, and infinity is no name."""
    assert known_wrong(0.5, {"half": ("It is half.", 0.5)}) is not None
    assert known_wrong(0.5, {"half": ("It is half.", 0.5001)}) is None
    assert known_wrong(np.inf, {"none": ("It is infinite.", np.inf)}) is None


def test_zeros() -> None:
    """A known answer of zeros is met exactly or not at all."""
    zeros: dict[str, Any] = {"zeros": ("It is zero.", np.zeros(3))}
    assert named(np.zeros(3), zeros) is not None
    assert named(np.full(3, 1e-15), zeros) is None


def test_without_known() -> None:
    """Without known wrong answers there is no diagnosis."""
    assert named(-RIGHT, {}) is None
