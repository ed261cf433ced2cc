"""Which of several notebooks counts."""

from __future__ import annotations

import pytest
from handed_in_files import notebook_of

from grader.errors import SubmissionError
from grader.submission import read_notebook
from grader.submission.choosing import Candidate, choose

RELEASE = ("# 1 Squares of numbers", "# (a) Write square(x).", "# YOUR CODE HERE", "check(square)")
ANSWERED = (*RELEASE[:2], "def square(x):\n    return x * x", "check(square)")
OTHER_COURSE = ("# 7 Words and vectors", "vectors = load()", "print(vectors.shape)")


def candidate(name: str, sources: tuple[str, ...], modified: float = 0.0) -> Candidate:
    """A notebook with these cells."""
    content = notebook_of(*sources)
    return Candidate(name, content, read_notebook(content, name), modified)


def chosen(*candidates: Candidate) -> tuple[str, dict[str, str]]:
    """The one that counts, and why the others do not, by their names."""
    release = read_notebook(notebook_of(*RELEASE), "release.ipynb")
    choice = choose("a.zip", candidates, release)
    return choice.chosen.name, dict(choice.others)


def test_likeness_comes_first() -> None:
    """A notebook of something else loses, whatever it is called and however new it is."""
    other = candidate("final_answers.ipynb", OTHER_COURSE, 1e9)
    assert chosen(candidate("old.ipynb", ANSWERED), other) == (
        "old.ipynb",
        {"final_answers.ipynb": "has no answers to this assignment"},
    )
    near = candidate("final.ipynb", (*OTHER_COURSE, "check(vectors)"), 1e9)
    assert chosen(candidate("old.ipynb", ANSWERED), near) == (
        "old.ipynb",
        {"final.ipynb": "is less like the assignment"},
    )


def test_the_release_beside_something_else() -> None:
    """The untouched release counts where the other one is for another assignment."""
    other = candidate("final_answers.ipynb", OTHER_COURSE, 1e9)
    assert chosen(candidate("hw.ipynb", RELEASE), other)[0] == "hw.ipynb"


def test_a_hand_in_that_was_rewritten() -> None:
    """A hand-in that has lost the release's text is told by the names in its code."""
    own = candidate("zz.ipynb", ("# Mijn werk", "def square(x): return x * x", "check( square )"))
    given, other = candidate("a.ipynb", RELEASE), candidate("b.ipynb", OTHER_COURSE)
    assert chosen(given, own, other)[0] == "zz.ipynb"


def test_the_release_itself() -> None:
    """The untouched release is the most like itself, and loses to whatever has work in it."""
    given = candidate("hw.ipynb", RELEASE, 1e9)
    assert chosen(given, candidate("hw1.ipynb", ANSWERED)) == (
        "hw1.ipynb",
        {"hw.ipynb": "has no answers to this assignment"},
    )


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("hw.ipynb", "hw-Copy1.ipynb"),
        ("hw.ipynb", "old/hw.ipynb"),
        ("hw.ipynb", "Untitled.ipynb"),
        ("hw_final.ipynb", "hw.ipynb"),
    ],
)
def test_names(better: str, worse: str) -> None:
    """A spare copy loses by its name, even where it is newer; the final one wins by it."""
    newer = candidate(worse, (*ANSWERED, "y = 2.0"), 1e9)
    assert chosen(newer, candidate(better, ANSWERED))[0] == better


def test_age() -> None:
    """Of equals the newer one counts, but only where it is newer by more than unpacking takes."""
    first, second = (
        candidate("a.ipynb", ANSWERED, 1000),
        candidate("b.ipynb", (*ANSWERED, "y = 2.0"), 1100),
    )
    assert chosen(first, second) == ("b.ipynb", {"a.ipynb": "is older"})
    second = candidate("b.ipynb", (*ANSWERED, "y = 2.0"), 1010)
    assert chosen(first, second) == ("b.ipynb", {"a.ipynb": "has less in it"})


def test_the_same_twice() -> None:
    """Of two that are the same, the outer one is taken."""
    twice = [candidate("x/a.ipynb", ANSWERED), candidate("a.ipynb", ANSWERED)]
    assert chosen(*twice) == ("a.ipynb", {"x/a.ipynb": "is the same"})


def test_equals() -> None:
    """Where nothing tells two apart, both are named and neither is graded."""
    second = candidate("b.ipynb", (*ANSWERED[:2], "def square(x):\n    return x ** 2", ANSWERED[3]))
    with pytest.raises(
        SubmissionError, match=r"^a\.zip: .*\(a\.ipynb, b\.ipynb\); hand in the one"
    ):
        chosen(candidate("a.ipynb", ANSWERED), second)


def test_one() -> None:
    """Of a single notebook nothing is said."""
    assert choose("a.zip", [candidate("a.ipynb", ANSWERED)]).notes == ()
