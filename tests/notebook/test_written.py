"""The notebook as its cells were last run."""

from __future__ import annotations

from collections.abc import Callable

from grader.notebook.written import compose
from grader.submission import Submission

Answered = Callable[..., Submission]


def source(submission: Submission, identity: str) -> str:
    """A cell's code."""
    return next(c.source for c in submission.notebook.cells if c.id == identity)


def test_what_ran_counts(answered: Answered) -> None:
    """A cell that was run since it was saved is found by its id, and that is said."""
    saved = answered(**{"q2a-answer": "raise NotImplementedError"})
    found, notes = compose(saved, [("", "1 + 1"), ("q2a-answer", "x = 1"), ("q2a-answer", "x = 2")])
    assert source(found, "q2a-answer") == "x = 2"
    assert source(saved, "q2a-answer") == "raise NotImplementedError"
    assert notes == ("cell 10: what you ran is not what is saved; save before you hand in",)


def test_without_ids(answered: Answered) -> None:
    """Where the front end gives no ids, the cell that is most alike is taken."""
    saved = answered()
    changed = source(saved, "q1a-answer").replace("2 * x", "3 * x")
    found, notes = compose(saved, [("", changed), ("vscode-cell:W5s", "print('something else')")])
    assert source(found, "q1a-answer") == changed
    assert len(notes) == 1


def test_saved(answered: Answered) -> None:
    """Where what was run last is what is saved, there is nothing to say."""
    saved = answered()
    first = source(saved, "q1a-answer")
    _, notes = compose(saved, [("q1a-answer", "x = 1"), ("q1a-answer", first)])
    assert notes == ()
